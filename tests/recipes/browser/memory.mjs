// Drives auth.js of docs/getting-started.md in Node: node memory.mjs URL. Prints what was observed, as JSON.
import * as auth from "./auth.mjs";

const [url] = process.argv.slice(2);
const real = globalThis.fetch;
const refreshes = []; // the tokens that were sent
let lost = 0; // so many answers to refreshes are lost on their way back
globalThis.fetch = async (input, options) => {
  const isRefresh = String(input).endsWith("/api/refresh/");
  if (isRefresh) refreshes.push(JSON.parse(options.body).refresh_token);
  const response = await real(input, options);
  if (isRefresh && lost > 0 && lost--) throw new TypeError("Failed to fetch");
  return response;
};
const codeOf = (promise) => promise.then(() => "done", (error) => error.code ?? error.message);
const me = () => auth.authFetch(`${url}/api/me/`).then((response) => response.status);
const seen = {};

seen.before = [auth.isSignedIn(), await codeOf(me())];
await auth.register("alice@example.com", "correct horse battery staple");
seen.wrong = await codeOf(auth.signIn("alice@example.com", "wrong"));
await auth.signIn("alice@example.com", "correct horse battery staple");
seen.after = [auth.isSignedIn(), await me()];

await Promise.all(Array.from({ length: 20 }, auth.refresh));
seen.parallel = refreshes.length;

lost = 1;
await auth.refresh();
seen.retry = [refreshes.length, refreshes[1] === refreshes[2], await me()];

lost = 99; // no answer at all for as long as it tries
seen.offline = [await codeOf(auth.refresh()), auth.isSignedIn()];
lost = 0;
await auth.refresh();
seen.online = await me();

await auth.authFetch(`${url}/api/sessions/?all=true`, { method: "DELETE" });
seen.ended = [await codeOf(me()), auth.isSignedIn()];

await auth.signIn("alice@example.com", "correct horse battery staple");
await auth.signOut();
seen.out = [auth.isSignedIn(), await codeOf(me())];
console.log(JSON.stringify(seen));
