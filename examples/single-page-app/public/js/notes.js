/** View "notes": the API of this application. Roles decide what is shown here, and what is allowed at the service. */
import { clone, fill } from "./dom.js";
import { describe, onClick, onSubmit } from "./forms.js";
import { client, latchkey, request } from "./latchkey.js";

const GRANT = "LATCHKEY_DATA_DIR=examples/single-page-app/var .venv/bin/latchkey roles grant editor ";
/** Milliseconds between two requests for the list, while the page is visible. */
const POLL = 5000;

export function notes({ root, signal }) {
  const list = root.querySelector("#notes");
  const say = (notice) => fill(root, { notice });
  const isEditor = () => client.session.claims?.roles?.includes("editor") ?? false;
  let drawn = "";

  async function load() {
    const all = await request("/api/notes");
    say("");
    draw(all);
  }

  function draw(all) {
    const state = JSON.stringify([all, isEditor()]);
    if (state === drawn) return; // so that polling never takes the focus away
    drawn = state;
    root.querySelector("#editor-badge").hidden = !isEditor();
    root.querySelector("#editor-hint").hidden = isEditor();
    root.querySelector("#no-notes").hidden = all.length > 0;
    list.replaceChildren(...all.map(row));
  }

  function row(note) {
    const item = fill(clone("row-note"), note);
    const button = item.querySelector("button");
    button.hidden = !isEditor();
    button.ariaLabel = `Delete the note: ${note.text}`;
    onClick(button, async () => {
      await request(`/api/notes/${note.id}`, { method: "DELETE" });
      await load();
      root.querySelector("h1").focus();
    }, say);
    return item;
  }

  onSubmit(root.querySelector("#note-form"), async ({ text }) => {
    await request("/api/notes", { method: "POST", body: { text } });
    root.querySelector("#note-form").reset();
    await load();
  });

  const poll = () => document.visibilityState === "visible" && load().catch((error) => say(describe(error)));
  const timer = setInterval(poll, POLL);
  document.addEventListener("visibilitychange", poll, { signal });
  signal.addEventListener("abort", () => clearInterval(timer));
  poll();
  showEmail(root).catch(() => {});
}

async function showEmail(root) {
  const { email } = await latchkey("/api/me/");
  fill(root, { email, command: GRANT + email });
}
