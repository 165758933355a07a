/** Section "passkeys": list, add, remove (docs/passkeys.md). */
import { clone, fill } from "./dom.js";
import { onSubmit } from "./forms.js";
import { client, latchkey } from "./latchkey.js";
import { withStepUp } from "./step-up.js";

/**
 * @param {{showRecoveryCodes: (codes: string[]) => void}} factors the section that shows recovery codes
 * @param {() => void} onChange is called after a change: it ends the other sessions of the account
 */
export function passkeys(root, factors, onChange) {
  const list = root.querySelector("#passkey-list");
  const addForm = root.querySelector("#passkey-add-form");

  async function load() {
    const all = await latchkey("/api/me/passkeys/").catch((error) => {
      if (error.code === "not_found") root.hidden = true; // no passkeys where the address is an IP address
      return [];
    });
    list.replaceChildren(...all.map(row));
  }

  function row(passkey) {
    const item = fill(clone("row-passkey"), passkey);
    const form = item.querySelector("form");
    form.querySelector("button").ariaLabel = `Remove the passkey: ${passkey.name}`;
    onSubmit(form, async () => {
      await withStepUp(() => latchkey(`/api/me/passkeys/${passkey.id}/`, { method: "DELETE" }));
      onChange();
      root.querySelector("h2").focus();
    });
    return item;
  }

  onSubmit(addForm, async ({ name }) => {
    const added = await withStepUp(() => client.addPasskey({ name: name.trim() }));
    addForm.reset();
    factors.showRecoveryCodes(added.recovery_codes ?? []);
    onChange();
  });

  return { load };
}
