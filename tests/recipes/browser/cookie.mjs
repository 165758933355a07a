
globalThis.localStorage ??= {}; // Node has none: the properties of an object are what the page uses of it
// Drives auth.js of docs/clients.md in Node, as two tabs: node cookie.mjs APP LATCHKEY. Prints what was observed, as JSON.
const [app, latchkey] = process.argv.slice(2);
const real = globalThis.fetch;
let cookie = "";
let refreshes = 0;
let lost = 0;
globalThis.fetch = async (input, options = {}) => {
  const url = new URL(input, app); // as in a page of the app
  const isOwn = url.origin === app;
  if (url.pathname === "/auth/refresh") refreshes++;
  const headers = { ...options.headers, ...(isOwn && { Origin: app, ...(cookie && { Cookie: cookie }) }) };
  const response = await real(url, { ...options, headers });
  if (url.pathname === "/auth/refresh" && lost > 0 && lost--) throw new TypeError("Failed to fetch");
  for (const line of isOwn ? response.headers.getSetCookie() : []) cookie = line.split(";")[0].replace(/^.*=("")?$/, "");
  return response;
};
let tail = Promise.resolve();
const locks = { request: (name, work) => (tail = tail.then(work, work)) }; // Node 20 has no Web Locks
Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
const [one, two] = [await import("./auth.mjs?1"), await import("./auth.mjs?2")];

const codeOf = (promise) => promise.then(() => "done", (error) => error.code ?? error.message);
const me = (tab) => tab.authFetch(`${latchkey}/api/me/`).then((response) => response.status);
const told = () => new Promise((resolve) => setTimeout(resolve, 200)); // what a BroadcastChannel takes
const states = () => [one.getState(), two.getState()];
const seen = {};
let renders = 0;
one.subscribe(() => renders++);

seen.start = [one.getState(), await codeOf(one.refresh()), one.getState()];
seen.wrong = await codeOf(one.signIn("alice@example.com", "wrong"));
await one.signIn("alice@example.com", "correct horse battery staple");
await told();
seen.in = [states(), await me(one), await me(two), renders > 1];

refreshes = 0;
await Promise.all(Array.from({ length: 20 }, () => one.refresh()).concat(Array.from({ length: 20 }, () => two.refresh())));
seen.parallel = refreshes;

const before = cookie;
lost = 1;
await one.refresh();
seen.retry = [before !== cookie, await me(one), await me(two)];

lost = 99;
seen.offline = [await codeOf(one.refresh()), states()];
lost = 0;
await one.refresh();

await two.signOut();
await told();
seen.out = [states(), cookie, await codeOf(me(one))];
console.log(JSON.stringify(seen));
process.exit();
