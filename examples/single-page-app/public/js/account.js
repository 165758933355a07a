/** View "account": authenticator app, passkeys and devices, each in a module of its own. */
import { authenticator } from "./authenticator.js";
import { devices } from "./devices.js";
import { passkeys } from "./passkeys.js";

export function account({ root, signal }) {
  const reload = () => {
    if (!signal.aborted) sections.forEach((section) => void section.load());
  };
  const factors = authenticator(root.querySelector("#authenticator"), reload);
  const sections = [
    factors,
    passkeys(root.querySelector("#passkeys"), factors, reload),
    devices(root.querySelector("#devices")),
  ];
  reload();
}
