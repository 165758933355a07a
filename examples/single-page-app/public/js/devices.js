/** Section "devices": the sessions of the account, each of which can be ended (docs/sessions.md). */
import { clone, fill } from "./dom.js";
import { describe, onClick, onSubmit } from "./forms.js";
import { client, latchkey } from "./latchkey.js";

export function devices(root) {
  const say = (notice) => fill(root, { notice });

  async function load() {
    try {
      const sessions = await latchkey("/api/sessions/");
      root.querySelector("#device-list").replaceChildren(...sessions.map(row));
    } catch (error) {
      say(describe(error));
    }
  }

  function row(session) {
    const item = fill(clone("row-device"), { ...session, ip: session.ip ?? "unknown address" });
    const button = item.querySelector("button");
    item.querySelector(".badge").hidden = !session.current;
    button.hidden = session.current; // "Sign out" at the top does that
    button.ariaLabel = `Sign out ${session.device}`;
    onClick(button, async () => {
      await latchkey(`/api/sessions/${session.id}/`, { method: "DELETE" });
      await load();
      say(`${session.device} is signed out.`);
    }, say);
    return item;
  }

  onSubmit(root.querySelector("#everywhere-form"), async () => {
    await latchkey("/api/sessions/?all=true", { method: "DELETE" }); // this session, too
    await client.signOut(); // so that the cookie is deleted, and the other tabs know
  });

  return { load };
}
