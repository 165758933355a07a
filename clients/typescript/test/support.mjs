// Shared helpers of the tests: people of a real Latchkey at LATCHKEY_URL, and a network that can fail.
import { createHmac, randomUUID } from "node:crypto";

export const url = process.env.LATCHKEY_URL;
export const PASSWORD = "correct horse battery staple";

/**
 * Returns a `fetch` that sends to the real server, with a log of the requests and faults on demand.
 *
 * `faults` is a list, one entry for each request to come that matches `path`: "lost" drops the answer after the server
 * has sent it, "offline" sends nothing, a Response is answered without the server, a function gets the answer.
 */
export function createNetwork(path = "/api/refresh/") {
  const network = { requests: [], faults: [] };
  network.fetch = async (input, init) => {
    const address = String(input.url ?? input);
    const headers = new Headers(init?.headers ?? input.headers);
    const body = typeof init?.body === "string" && init.body ? JSON.parse(init.body) : null;
    network.requests.push({ path: new URL(address).pathname, url: address, headers, body });
    const fault = address.includes(path) ? network.faults.shift() : undefined;
    if (fault === "offline") throw new TypeError("fetch failed");
    if (fault instanceof Response) return fault;
    const response = await fetch(input, init);
    if (fault === "lost") throw new TypeError("fetch failed");
    return typeof fault === "function" ? fault(response) : response;
  };
  network.to = (wanted) => network.requests.filter((request) => request.path === wanted);
  return network;
}

/** Returns a problem document as Latchkey and its reverse proxy answer them. */
export const problem = (status, code, more = {}) =>
  new Response(JSON.stringify({ status, code, detail: code, ...more }), { status });

/** Storage as of React Native: asynchronous, and able to fail. */
export function createStorage(value = null) {
  const storage = { value, broken: false };
  const act = (work) => async (given) => {
    await new Promise((done) => setTimeout(done, 1));
    if (storage.broken) throw new Error("The keychain is locked.");
    return work(given);
  };
  storage.get = act(() => storage.value);
  storage.set = act((given) => void (storage.value = given));
  storage.remove = act(() => void (storage.value = null));
  storage.read = () => JSON.parse(storage.value);
  return storage;
}

/** Registers somebody and returns their credentials. */
export async function register() {
  const account = { email: `${randomUUID()}@example.com`, password: PASSWORD };
  const response = await fetch(`${url}/api/register/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(account),
  });
  if (response.status !== 201) throw new Error(await response.text());
  return account;
}

/** Runs with the clock of this device moved by some seconds: Date alone, or performance.now() too. */
export async function withClock(seconds, work, { monotonic = false } = {}) {
  const { now } = Date;
  const performanceNow = performance.now.bind(performance);
  Date.now = () => now() + seconds * 1000;
  if (monotonic) performance.now = () => performanceNow() + seconds * 1000;
  try {
    return await work();
  } finally {
    Date.now = now;
    delete performance.now;
  }
}

/** Returns the code of an authenticator app (RFC 6238), some 30 s steps from now. */
export function totp(secret, steps = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // base32
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0"));
  const key = Buffer.from(bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac("sha1", key).update(counter).digest();
  const offset = digest[19] & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
