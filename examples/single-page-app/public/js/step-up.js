/** Step-up: asks for the password or the second factor again before a sensitive change (RFC 9470). */
import { clone, showOnly } from "./dom.js";
import { onSubmit } from "./forms.js";
import { client } from "./latchkey.js";

/** Runs `work`. If Latchkey answers 403 `step_up_required`, asks for a proof and runs it once more. */
export async function withStepUp(work) {
  try {
    return await work();
  } catch (error) {
    if (error.code !== "step_up_required") throw error;
    await ask(error.body.factors);
    return work();
  }
}

/** Opens the dialog. @throws DOMException `AbortError` if the person cancels */
function ask(factors) {
  document.body.append(clone("dialog-step-up"));
  const dialog = document.body.lastElementChild;
  const form = dialog.querySelector("form");
  showOnly(dialog, "factor", factors);
  const field = form.querySelector("label:not([hidden]) input");
  if (field) field.required = true;
  return new Promise((resolve, reject) => {
    onSubmit(form, async (values, submitter) => {
      if (submitter?.value === "passkey") await client.stepUp({ passkey: true });
      else await client.stepUp({ [field.name]: values[field.name] });
      resolve();
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      reject(new DOMException("Cancelled.", "AbortError"));
    });
    dialog.querySelector("[data-action=cancel]").addEventListener("click", () => dialog.close());
    dialog.showModal();
  });
}
