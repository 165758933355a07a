// Sign-in, sign-out, second factors and fetch, against a real server.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { ApiError, createClient, memoryStorage, NetworkError } from "latchkey-client";
import { createNetwork, createStorage, PASSWORD, problem, register, totp, url, withClock } from "./support.mjs";

const newClient = (more = {}) => createClient({ url, storage: memoryStorage(), ...more });

/** Calls an endpoint that needs an access token; returns its status and body. */
async function call(client, path, body, method = body ? "POST" : "GET") {
  const headers = { "Content-Type": "application/json" };
  const response = await client.fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  return [response.status, response.status === 204 ? null : await response.json()];
}

test("an account is created, signs in, is somebody, and signs out", async () => {
  const client = newClient();
  const account = { email: `${Math.random()}@example.com`, password: PASSWORD };
  const { id } = await client.signUp(account);
  assert.equal((await client.load()).status, "signed-out");
  assert.deepEqual(await client.signIn(account), { status: "signed-in" });
  const { status, userId, claims } = client.session;
  assert.deepEqual([status, userId, claims.user_id, claims.exp], ["signed-in", id, id, undefined]);
  assert.deepEqual(await call(client, "/api/me/"), [200, { id, username: "", email: account.email }]);
  const token = await client.getAccessToken();
  await client.signOut();
  assert.deepEqual(client.session, { status: "signed-out", userId: null, claims: null });
  const after = await fetch(`${url}/api/me/`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(after.status, 401);
  assert.equal((await client.fetch(`${url}/api/me/`)).status, 401);
});

test("errors have the members of the problem document", async () => {
  const client = newClient();
  const account = await register();
  await assert.rejects(client.signIn({ ...account, password: "wrong" }), (error) => {
    assert.ok(error instanceof ApiError && error instanceof Error);
    assert.deepEqual([error.name, error.status, error.code], ["ApiError", 401, "invalid_credentials"]);
    return error.message === error.detail && error.detail.length > 10;
  });
  await assert.rejects(client.signUp(account), (error) => {
    assert.deepEqual(Object.keys(error.errors), ["email"]);
    return error.code === "email_taken";
  });
  const limited = newClient({ fetch: async () => problem(429, "too_many_attempts", { retry_after: 30 }) });
  await assert.rejects(limited.signIn(account), { status: 429, retryAfter: 30 });
  const header = async () => new Response("busy", { status: 503, headers: { "Retry-After": "7" } });
  await assert.rejects(newClient({ fetch: header }).signIn(account), { code: "unknown", status: 503, retryAfter: 7 });
  const offline = newClient({ fetch: () => Promise.reject(new TypeError("fetch failed")) });
  await assert.rejects(offline.signIn(account), NetworkError);
  assert.throws(() => createClient({ url }), TypeError);
});

test("the session is one object until it changes, and listeners can leave", async () => {
  const client = newClient();
  const account = await register();
  const seen = [];
  const leave = client.on("change", (session) => seen.push(session));
  await client.signIn(account);
  await withClock(25, () => client.getAccessToken());
  assert.deepEqual(seen, [client.session]);
  assert.equal(seen[0], client.session);
  leave();
  await client.signOut();
  assert.equal(seen.length, 1);
});

test("an access token goes to the listed origins only", async () => {
  const sent = [];
  const server = createServer((request, response) => {
    sent.push(request.headers.authorization);
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const api = `http://127.0.0.1:${server.address().port}`;
  const account = await register();
  try {
    const [closed, open] = [newClient(), newClient({ origins: [url, api] })];
    for (const client of [closed, open]) {
      await client.signIn(account);
      await client.fetch(api);
      await client.fetch(new Request(`${api}/path`, { headers: { "X-Test": "1" } }));
      await client.fetch(`${api}/own`, { headers: { Authorization: "Basic abc" } });
    }
    const bearer = `Bearer ${await open.getAccessToken()}`;
    assert.deepEqual(sent, [undefined, undefined, "Basic abc", bearer, bearer, "Basic abc"]);
  } finally {
    server.close();
  }
});

test("a 401 of a service is repeated once with a new token, but not if a step-up is asked for", async () => {
  const account = await register();
  const network = createNetwork("/api/me/");
  const client = newClient({ fetch: network.fetch });
  await client.signIn(account);
  const request = () => new Request(`${url}/api/me/`, { method: "PUT", body: '{"username": "Ann"}' });
  const send = () => client.fetch(new Request(request(), { headers: { "Content-Type": "application/json" } }));
  network.faults = [() => problem(401, "invalid_token")]; // the body of the request was sent
  assert.deepEqual(await (await send()).json().then(({ username }) => username), "Ann");
  assert.equal(network.to("/api/refresh/").length, 1);
  network.faults = [problem(401, "invalid_token"), problem(401, "invalid_token")];
  assert.equal((await send()).status, 401);
  assert.equal(network.to("/api/refresh/").length, 2);
  const challenge = { "WWW-Authenticate": 'Bearer error="insufficient_user_authentication", acr_values="aal2"' };
  network.faults = [new Response("", { status: 401, headers: challenge })];
  assert.equal((await send()).status, 401);
  assert.equal(network.to("/api/refresh/").length, 2);
});

test("a sign-out without a network is finished by the next page", async () => {
  const account = await register();
  const storage = createStorage();
  const network = createNetwork("/api/logout/");
  const client = createClient({ url, storage, fetch: network.fetch });
  await client.signIn(account);
  const token = await client.getAccessToken();
  const isAlive = async () => (await fetch(`${url}/api/me/`, { headers: { Authorization: `Bearer ${token}` } })).ok;
  network.faults = Array(5).fill("offline");
  await assert.rejects(client.signOut(), NetworkError);
  assert.deepEqual([client.session.status, await isAlive()], ["signed-out", true]);
  const later = createClient({ url, storage });
  assert.equal((await later.load()).status, "signed-out");
  while (storage.value) await new Promise((done) => setTimeout(done, 5)); // the test runner has a time limit
  assert.equal(await isAlive(), false);
});

test("second factor, step-up and a new password", async () => {
  const client = newClient();
  const account = await register();
  await client.signIn(account);
  const first = await client.getAccessToken();
  await client.stepUp({ password: PASSWORD });
  assert.notEqual(await client.getAccessToken(), first);
  const [, { secret }] = await call(client, "/api/me/totp/", {});
  const [, { recovery_codes }] = await call(client, "/api/me/totp/confirm/", { code: totp(secret, -1) });
  await client.signOut();

  const { ticket, ...asked } = await client.signIn(account);
  assert.deepEqual(asked, { status: "second-factor", factors: ["recovery_code", "totp"], expiresIn: 300 });
  assert.equal(client.session.status, "signed-out");
  await assert.rejects(client.secondFactor({ ticket, code: "000000" }), { code: "invalid_code" });
  assert.deepEqual(await client.secondFactor({ ticket, code: totp(secret) }), { status: "signed-in" });
  assert.equal(client.session.claims.acr, "aal2");

  const before = await client.getAccessToken();
  await client.stepUp({ recoveryCode: recovery_codes[0] });
  const after = await client.getAccessToken();
  assert.notEqual(after, before);

  await assert.rejects(client.changePassword({ currentPassword: "wrong", newPassword: "x" }), ApiError);
  await client.changePassword({ currentPassword: PASSWORD, newPassword: "another long password" });
  assert.notEqual(await client.getAccessToken(), after);
  assert.equal((await call(client, "/api/me/"))[0], 200);
  await withClock(25, async () => assert.equal((await call(client, "/api/me/"))[0], 200));
});

test("what is stored is small, and a client without crypto makes a key all the same", async () => {
  const storage = createStorage();
  const client = createClient({ url, storage });
  await client.signIn(await register());
  const { crypto } = globalThis;
  Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
  try {
    await withClock(25, async () => assert.ok(await client.getAccessToken()));
  } finally {
    Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true });
  }
  assert.ok(storage.value.length < 300, storage.value);
});

test("answers to step-up and to a new password are discarded if somebody has signed out or in meanwhile", async () => {
  for (const [path, act] of [
    ["/api/step-up/", (client) => client.stepUp({ password: PASSWORD })],
    [
      "/api/password/change/",
      (client) => client.changePassword({ currentPassword: PASSWORD, newPassword: "another password" }),
    ],
  ]) {
    for (const other of ["signOut", "signIn"]) {
      const network = createNetwork(path);
      const storage = createStorage();
      const client = createClient({ url, storage, fetch: network.fetch });
      const account = await register();
      await client.signIn(account);
      let stored, refreshToken;
      network.faults = [
        async (response) => {
          const tab = createClient({ url, storage });
          await (other === "signOut" ? tab.signOut() : tab.signIn(await register()));
          stored = storage.value;
          refreshToken = (await response.clone().json()).refresh_token;
          return response;
        },
      ];
      await act(client);
      assert.equal(storage.value, stored);
      if (!refreshToken) continue;
      const left = createClient({ url, storage: createStorage(JSON.stringify({ id: "left", refreshToken })) });
      assert.equal((await left.load()).status, "signed-out");
    }
  }
});

test("a sign-in ends the stored session that it replaces", async () => {
  const client = newClient();
  const account = await register();
  await client.signIn(account);
  const token = await client.getAccessToken();
  await client.signIn(account);
  const isAlive = async () => (await fetch(`${url}/api/me/`, { headers: { Authorization: `Bearer ${token}` } })).ok;
  while (await isAlive()); // the test runner has a time limit
  assert.equal((await call(client, "/api/me/"))[0], 200);
});
