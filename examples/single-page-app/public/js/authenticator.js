/** Section "authenticator app": set-up with a QR code, recovery codes, removal (docs/second-factors.md). */
import { fill, showOnly } from "./dom.js";
import { describe, onClick, onSubmit } from "./forms.js";
import { latchkey } from "./latchkey.js";
import { withStepUp } from "./step-up.js";

/** @param {() => void} onChange is called after a change: it ends the other sessions of the account */
export function authenticator(root, onChange) {
  const say = (notice) => fill(root, { notice });
  const show = (part) => showOnly(root, "part", [part]);
  const confirmForm = root.querySelector("#totp-confirm-form");
  const codes = root.querySelector("#recovery-codes");

  async function load() {
    if (codes.childElementCount) return; // they are shown once
    try {
      const { totp, recovery_codes: left } = await latchkey("/api/me/factors/");
      fill(root, { left: `${left} recovery codes are left.` });
      show(totp ? "on" : "off");
    } catch (error) {
      say(describe(error));
    }
  }

  onSubmit(root.querySelector("#totp-begin-form"), async () => {
    const begun = await withStepUp(() => latchkey("/api/me/totp/", { method: "POST", body: {} }));
    root.querySelector(".qr").src = `data:image/svg+xml,${encodeURIComponent(begun.qr_code)}`;
    fill(root, { secret: begun.secret.replace(/(.{4})(?=.)/g, "$1 "), notice: "" });
    show("begun");
    confirmForm.reset();
    confirmForm.elements.code.focus();
  });

  onSubmit(confirmForm, async ({ code }) => {
    const body = { code: code.replaceAll(" ", "") };
    const confirmed = await withStepUp(() => latchkey("/api/me/totp/confirm/", { method: "POST", body }));
    say("The authenticator app is on. Your other devices are signed out.");
    showRecoveryCodes(confirmed.recovery_codes);
    onChange();
  });

  /** Shows new recovery codes until the person says that they are saved. `given` is empty if the account had some. */
  function showRecoveryCodes(given) {
    codes.replaceChildren(
      ...given.map((code) => Object.assign(document.createElement("li"), { textContent: code })),
    );
    if (!given.length) return;
    show("codes");
    root.querySelector("#codes-copy").focus();
  }

  root.querySelector("#totp-cancel").addEventListener("click", () => load());
  onClick(root.querySelector("#codes-copy"), async () => {
    await navigator.clipboard.writeText([...codes.children].map((item) => item.textContent).join("\n"));
    say("The recovery codes are copied.");
  }, () => say("The browser does not allow copying. Please write the codes down."));
  root.querySelector("#codes-done").addEventListener("click", () => {
    codes.replaceChildren();
    say("");
    onChange();
    root.querySelector("h2").focus();
  });

  onSubmit(root.querySelector("#totp-remove-form"), async () => {
    await withStepUp(() => latchkey("/api/me/totp/", { method: "DELETE" }));
    say("The authenticator app is removed. Your other devices are signed out.");
    onChange();
  });

  return { load, showRecoveryCodes };
}
