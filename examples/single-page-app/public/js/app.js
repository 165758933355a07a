/** The application: which view is shown, by the address and the state of the session. Start reading here. */
import { account } from "./account.js";
import { clone, fill } from "./dom.js";
import { describe, onClick } from "./forms.js";
import { client } from "./latchkey.js";
import { notes } from "./notes.js";
import { secondFactor, signIn } from "./sign-in.js";
import { confirm, signUp } from "./sign-up.js";

/** Views by the status of the session; the first one of each is the default. A view has a template of its name. */
const VIEWS = {
  unknown: { unknown },
  "signed-out": { "sign-in": signIn, "sign-up": signUp, confirm, "second-factor": secondFactor },
  "signed-in": { notes, account },
};
const STATES = { unknown: "Session unknown", "signed-out": "Signed out", "signed-in": "Signed in" };

/** Milliseconds after which a page that waits for Latchkey says so. */
const PATIENCE = 2000;
const NO_CONNECTION = "The sign-in service does not answer. You are not signed out: this page tries again by itself.";

const main = document.querySelector("main");
const chip = document.getElementById("session-state");
const navigation = document.getElementById("navigation");
let shown = { name: null, controller: new AbortController() };
let passed = {};

/** Opens a view. `values` are given to it in memory, never in the address: an e-mail address, a ticket. */
function go(name, values = {}) {
  passed = values;
  if (location.hash === `#/${name}`) render(true);
  else location.hash = `#/${name}`;
}

function render(again = false) {
  const { status } = client.session;
  const views = VIEWS[status];
  const asked = location.hash.replace(/^#\//, "");
  const name = Object.hasOwn(views, asked) ? asked : Object.keys(views)[0];
  if (status === "signed-in" && name !== asked) history.replaceState(null, "", `#/${name}`);
  chip.dataset.status = status;
  chip.textContent = STATES[status];
  navigation.hidden = status !== "signed-in";
  for (const link of navigation.querySelectorAll("a")) {
    if (link.hash === `#/${name}`) link.ariaCurrent = "page";
    else link.removeAttribute("aria-current");
  }
  if (name === shown.name && !again) return;
  shown.controller.abort(); // listeners and timers of the view that is left
  const isFirst = shown.name === null;
  shown = { name, controller: new AbortController() };
  const values = passed;
  passed = {};
  const root = document.createElement("div"); // one of its own: an answer that arrives late finds its own elements
  root.className = "view";
  root.append(clone(`view-${name}`));
  main.replaceChildren(root);
  const heading = root.querySelector("h1");
  document.title = name === "notes" ? "Notes" : `${heading.textContent} - Notes`;
  heading.tabIndex = -1;
  if (!isFirst) heading.focus(); // a screen reader says where it is
  views[name]({ root, go, values, signal: shown.controller.signal });
}

/** Nobody knows yet whether somebody is signed in: the page has just been loaded, or there is no connection. */
function unknown({ root, signal }) {
  const explain = () => {
    root.querySelector("h1").textContent = "No connection";
    fill(root, { text: NO_CONNECTION });
    root.querySelector(".actions").hidden = false;
  };
  const timer = setTimeout(explain, PATIENCE);
  signal.addEventListener("abort", () => clearTimeout(timer));
  signal.addEventListener("abort", client.on("change", ({ error }) => error && explain()));
  onClick(root.querySelector("#try-again"), () => client.load(), () => {});
}

onClick(document.getElementById("sign-out"), () => client.signOut(), (sentence) => go("sign-in", { notice: sentence }));

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part of the address after # is the name of a view
  main.focus();
});

let before = client.session.status;
client.on("change", ({ status }) => {
  if (before === "signed-in" && status === "signed-out") {
    passed = { notice: "You are signed out." };
    history.replaceState(null, "", "#/sign-in");
  }
  before = status;
  render();
});
addEventListener("hashchange", () => render());
render();
client.load().catch((error) => console.error(describe(error)));
