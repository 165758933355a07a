// Server-side rendering with browser sessions, against a real server whose LATCHKEY_CORS_ORIGINS has APP_ORIGIN.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createServerClient } from "latchkey-client/server";
import { createNetwork, problem, register, url } from "./support.mjs";

const origin = process.env.APP_ORIGIN;
const secret = "a secret of the rendering server, with 32 characters and more";

/** Signs somebody in as a browser does; returns the Cookie header of its later requests. */
async function signIn() {
  const response = await fetch(`${url}/api/browser/login/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: origin },
    body: JSON.stringify(await register()),
  });
  assert.equal(response.status, 200);
  return cookieOf(response.headers.getSetCookie());
}

/** Returns the Cookie header that a browser sends after these Set-Cookie headers, beside a cookie of the app. */
const cookieOf = (setCookie) => ["theme=dark", ...setCookie.map((line) => line.split(";")[0])].join("; ");

const network = () => createNetwork("/api/browser/refresh/");
const render = (cookie, more = {}) => createServerClient({ url, origin, cookie, ...more });
const refreshes = ({ to }) => to("/api/browser/refresh/");

test("a render refreshes once, sends its requests as the user, and returns the cookie", async () => {
  const net = network();
  const client = render(await signIn(), { fetch: net.fetch });
  const { session, accessToken, setCookie } = await client.refresh();
  assert.equal(session.status, "signed-in");
  assert.equal((await (await client.fetch("/api/me/")).json()).id, session.userId);
  assert.equal((await client.fetch(`${url}/api/me/`)).status, 200);
  assert.equal(refreshes(net).length, 1);
  assert.equal(refreshes(net)[0].headers.get("Cookie").includes("theme"), false);
  assert.equal(setCookie.length, 1);
  assert.match(setCookie[0], /^latchkey-refresh=[0-9a-f-]{36};.* HttpOnly/);
  assert.ok(accessToken.split(".").length === 3);
});

test("twenty parallel renders with one cookie, in one process or in many, keep one session", async () => {
  for (const isOneProcess of [true, false]) {
    const cookie = await signIn();
    const nets = Array.from({ length: 20 }, network);
    // The refreshes of one process are shared by address: a path of its own makes a process of each render.
    const addresses = nets.map((_, process) => (isOneProcess ? url : `${url}${"/".repeat(process + 1)}`));
    const fetches = nets.map(({ fetch }) => (input, init) => fetch(String(input).replace(/([^:])\/+/g, "$1/"), init));
    const renders = nets.map((_, index) => render(cookie, { url: addresses[index], fetch: fetches[index], secret }));
    const results = await Promise.all(renders.map((client) => client.refresh()));
    assert.equal(nets.flatMap(refreshes).length, isOneProcess ? 1 : 20);
    assert.equal(new Set(results.map(({ setCookie }) => setCookie[0].split(";")[0])).size, 1);
    assert.equal(new Set(results.map(({ session }) => session.claims.sid)).size, 1);
    const next = await render(cookieOf(results.at(-1).setCookie), { secret }).refresh();
    assert.deepEqual(next.session, results[0].session);
  }
});

test("a page whose answer was lost signs nobody out, as the next one sends the same key", async () => {
  const cookie = await signIn();
  const [lost, next] = [network(), network()];
  lost.faults = ["lost"];
  const failed = await render(cookie, { fetch: lost.fetch, secret }).refresh();
  assert.deepEqual([failed.session.status, failed.session.error.name], ["unknown", "NetworkError"]);
  assert.equal((await render(cookie, { fetch: next.fetch, secret }).refresh()).session.status, "signed-in");
  const keys = [lost, next].map((net) => refreshes(net)[0].headers.get("Idempotency-Key"));
  assert.match(keys[0], /^[0-9a-f]{64}$/);
  assert.equal(keys[0], keys[1]);
});

test("without a cookie, and after a 401, nobody is signed in; any other error is unknown", async () => {
  const net = network();
  const { session, setCookie } = await render("theme=dark", { fetch: net.fetch }).refresh();
  assert.deepEqual([session.status, setCookie, refreshes(net)], ["signed-out", [], []]);
  const unknownToken = "latchkey-refresh=00109473-b72a-430c-b335-957c18c15ba0";
  assert.equal((await render(unknownToken).refresh()).session.status, "signed-out");
  const cookie = await signIn();
  const foreign = await render(cookie, { origin: "https://foreign.example" }).refresh();
  assert.deepEqual([foreign.session.status, foreign.session.error.code], ["unknown", "origin_not_allowed"]);
  for (const fault of [problem(503, "unavailable"), problem(401, "not_authenticated"), "offline"]) {
    net.faults = [fault];
    const client = render(cookie, { fetch: net.fetch });
    assert.equal((await client.refresh()).session.status, "unknown");
  }
  assert.equal((await render(cookie).refresh()).session.status, "signed-in");
});
