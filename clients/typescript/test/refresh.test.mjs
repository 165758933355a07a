// Rules of refresh, against a real server: docs/sessions.md, "What a client has to do".
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, createClient, NetworkError } from "latchkey-client";
import { createNetwork, createStorage, problem, register, url, withClock } from "./support.mjs";

const STALE = 25; // seconds, of 30

/** Signs somebody in; returns the client with its storage and network. */
async function signIn(options = {}) {
  const storage = createStorage();
  const network = createNetwork();
  const client = createClient({ url, storage, fetch: network.fetch, ...options });
  const account = await register();
  assert.deepEqual(await client.signIn(account), { status: "signed-in" });
  return { client, storage, network, account };
}

const me = async (client) => (await client.fetch(`${url}/api/me/`)).status;
/** The refreshes that were sent: token and key. */
const refreshes = (network) =>
  network.to("/api/refresh/").map(({ headers, body }) => [body.refresh_token, headers.get("Idempotency-Key")]);

test("parallel requests with a stale token wait for one refresh", async () => {
  const { client, network } = await signIn();
  await withClock(STALE, async () => {
    const statuses = await Promise.all(Array.from({ length: 20 }, () => me(client)));
    assert.deepEqual(new Set(statuses), new Set([200]));
  });
  assert.equal(refreshes(network).length, 1);
});

test("a token that is young is not refreshed, on whatever side of the server's clock the device is", async () => {
  for (const hours of [-1, 1]) {
    await withClock(hours * 3600, async () => {
      const { client, network } = await signIn();
      assert.equal(await me(client), 200);
      assert.equal(refreshes(network).length, 0);
      await withClock(STALE, () => me(client));
      assert.equal(refreshes(network).length, 1);
    });
  }
});

test("a token is stale after a sleep that stopped one of the two clocks, and when the clock was set back", async () => {
  const { client, network } = await signIn();
  await withClock(3600, () => me(client)); // performance.now() stood still
  assert.equal(refreshes(network).length, 1);
  await withClock(3600, async () => {
    await withClock(-7200, () => me(client)); // the clock was set back meanwhile
    assert.equal(refreshes(network).length, 2);
  }, { monotonic: true });
});

test("parallel requests share the attempts of a refresh that fails", async () => {
  const { client, network } = await signIn();
  network.faults = Array(99).fill("offline");
  await withClock(60, () => Promise.allSettled(Array.from({ length: 20 }, () => client.getAccessToken())));
  assert.equal(refreshes(network).length, 5);
});

test("a refresh without an answer is repeated with the same token and key, which was stored before", async () => {
  const { client, storage, network } = await signIn();
  const first = storage.read();
  let during;
  const fail = () => {
    during = storage.read();
    throw new TypeError("fetch failed");
  };
  network.faults = [fail, "offline", "lost"];
  await withClock(STALE, async () => assert.equal(await me(client), 200));
  const sent = refreshes(network);
  assert.equal(sent.length, 4);
  assert.equal(new Set(sent.map(String)).size, 1);
  assert.deepEqual(during, { ...first, key: sent[0][1] });
  assert.match(sent[0][1], /^[!-~]{16,64}$/);
  assert.equal(storage.read().key, undefined);
  await withClock(2 * STALE, () => me(client));
  assert.notEqual(refreshes(network)[4][1], sent[0][1]);
});

test("a restart after a lost answer repeats the refresh with the stored key", async () => {
  const { client, storage, network } = await signIn();
  network.faults = Array(5).fill("lost");
  await withClock(60, () => assert.rejects(client.fetch(`${url}/api/me/`), NetworkError));
  const restarted = createNetwork();
  const again = createClient({ url, storage, fetch: restarted.fetch });
  assert.equal(again.session.status, "unknown");
  assert.equal((await again.load()).status, "signed-in");
  assert.deepEqual(refreshes(restarted)[0], refreshes(network)[0]);
  assert.equal(await me(again), 200);
});

test("a 503 is repeated with the same key after Retry-After, and a long one is passed on and honoured", async () => {
  const { client, network } = await signIn();
  network.faults = [problem(503, "unavailable", { retry_after: 1 })];
  const began = performance.now();
  await withClock(STALE, async () => assert.equal(await me(client), 200));
  assert.ok(performance.now() - began >= 990);
  assert.equal(new Set(refreshes(network).map(String)).size, 1);

  network.faults = [problem(503, "unavailable", { retry_after: 60 })];
  await withClock(90, async () => {
    for (const _ of [1, 2]) {
      await assert.rejects(client.getAccessToken(), (error) => error instanceof ApiError && error.retryAfter === 60);
    }
  });
  assert.equal(refreshes(network).length, 3);
  assert.equal(client.session.status, "signed-in");
});

test("no error but a 401 invalid_refresh_token signs out", async () => {
  const { client, storage, network } = await signIn();
  const faults = [
    problem(401, "not_authenticated"),
    new Response("<h1>Sign in to the Wi-Fi</h1>", { status: 401 }),
    problem(403, "origin_not_allowed"),
    problem(404, "not_found"),
    problem(429, "too_many_attempts", { retry_after: 3600 }),
  ];
  for (const fault of faults) {
    const restarted = createNetwork();
    restarted.faults = [fault];
    const again = createClient({ url, storage, fetch: restarted.fetch });
    assert.equal((await again.load()).status, "unknown");
    assert.ok(again.session.error instanceof ApiError);
  }
  network.faults = [...Array(4).fill(problem(500, "server_error")), new Response("<h1>Wi-Fi</h1>")];
  await withClock(60, () => assert.rejects(client.getAccessToken(), NetworkError));
  assert.equal(client.session.status, "signed-in");
  assert.equal(await me(client), 200);
});

test("a 401 of refresh signs out, and removes the token", async () => {
  const { client, storage, account } = await signIn();
  const changes = [];
  client.on("change", ({ status }) => changes.push(status));
  const other = createClient({ url, storage: createStorage(storage.value) });
  await other.signOut();
  await withClock(STALE, async () => assert.equal(await me(client), 401));
  assert.deepEqual([client.session.status, storage.value, changes], ["signed-out", null, ["signed-out"]]);
  assert.equal(await client.getAccessToken(), null);
  await client.signIn(account);
  assert.deepEqual(changes, ["signed-out", "signed-in"]);
});

test("a 401 for a token that is no longer the stored one is answered with a refresh of the stored one", async () => {
  const { client, storage, network, account } = await signIn();
  network.faults = [
    async () => {
      const newer = createClient({ url, storage }); // another process with the same storage
      await newer.signIn(account);
      return problem(401, "invalid_refresh_token");
    },
  ];
  await withClock(STALE, async () => assert.equal(await me(client), 200));
  assert.equal(refreshes(network).length, 2);
  assert.equal(client.session.status, "signed-in");
});

test("a late answer of refresh changes nothing after a sign-out or another sign-in", async () => {
  for (const act of ["signOut", "signIn"]) {
    const { client, storage, network, account } = await signIn();
    let newer;
    network.faults = [
      async (response) => {
        const other = createClient({ url, storage });
        await (act === "signOut" ? other.signOut() : other.signIn(account));
        newer = storage.value;
        return response;
      },
    ];
    const { sid } = client.session.claims;
    await withClock(STALE, () => client.getAccessToken());
    if (act === "signOut") {
      assert.deepEqual([client.session.status, storage.value], ["signed-out", newer]);
    } else {
      assert.notEqual(client.session.claims.sid, sid);
      assert.deepEqual([refreshes(network).length, storage.read().id], [2, JSON.parse(newer).id]);
    }
    assert.equal(await me(client), act === "signOut" ? 401 : 200);
  }
});

test("a request without an answer is aborted in time, so that a late answer changes nothing", async () => {
  const { storage, network } = await signIn();
  const slow = createServer(async (request, response) => {
    const { authorization: _, ...headers } = request.headers;
    const answer = await fetch(url + request.url, { method: "POST", headers, body: await text(request) });
    await sleep(300);
    response.end(await answer.text());
  }).listen(0, "127.0.0.1");
  await once(slow, "listening");
  const address = `http://127.0.0.1:${slow.address().port}`;
  const toSlow = (input, init) => fetch(input.replace(url, address), init);
  const client = createClient({ url, storage, fetch: toSlow, timeout: 100 });
  const { status, error } = await client.load();
  const pending = storage.read();
  await sleep(300);
  slow.close();
  assert.deepEqual([status, error.name, storage.read()], ["unknown", "NetworkError", pending]);
  const next = createClient({ url, storage, fetch: network.fetch });
  assert.equal((await next.load()).status, "signed-in");
  assert.deepEqual(refreshes(network), [[pending.refreshToken, pending.key]]);
});

test("offline at the start is unknown, and is found out as soon as the network is back", async () => {
  const { storage } = await signIn();
  const network = createNetwork();
  network.faults = Array(5).fill("offline");
  const client = createClient({ url, storage, fetch: network.fetch });
  const seen = [];
  client.on("change", ({ status, error }) => seen.push([status, error?.name]));
  assert.equal((await client.load()).status, "unknown");
  assert.equal((await client.load()).status, "signed-in");
  assert.deepEqual(seen, [["unknown", "NetworkError"], ["signed-in", undefined]]);
});

test("a storage that cannot be read is unknown, not signed out", async () => {
  const { storage } = await signIn();
  storage.broken = true;
  const client = createClient({ url, storage });
  assert.equal((await client.load()).status, "unknown");
  storage.broken = false;
  assert.equal((await client.load()).status, "signed-in");
});

test("a session goes on in memory while the storage fails, and is stored when it works again", async () => {
  const { client, storage, network } = await signIn();
  storage.broken = true;
  for (const times of [1, 2]) await withClock(times * STALE, async () => assert.equal(await me(client), 200));
  assert.equal(refreshes(network).length, 2);
  assert.equal(client.session.status, "signed-in");
  storage.broken = false;
  await withClock(3 * STALE, async () => assert.equal(await me(client), 200));
  assert.equal(await me(createClient({ url, storage })), 200);
});
