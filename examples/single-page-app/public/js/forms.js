/** Forms: one submission at a time, and errors beside the fields that they are about. */
import { ApiError, NetworkError } from "/latchkey-client/index.js";

/**
 * Calls `work(values, submitter)` when the form is submitted. What it throws is shown in the form.
 *
 * @param {HTMLFormElement} form
 * @param {(values: Record<string, string>, submitter: HTMLButtonElement) => Promise<void>} work
 */
export function onSubmit(form, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return; // instead of a disabled button, which would lose the focus
    form.ariaBusy = "true";
    clearErrors(form);
    try {
      await work(Object.fromEntries(new FormData(form)), event.submitter);
    } catch (error) {
      showError(form, error);
    } finally {
      form.ariaBusy = "false";
    }
  });
}

/** Calls `work` when the button is clicked. What it throws is given to `onError` as a sentence. */
export function onClick(button, work, onError) {
  button.addEventListener("click", async () => {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    try {
      await work();
    } catch (error) {
      onError(describe(error));
    } finally {
      button.ariaBusy = "false";
    }
  });
}

/** Returns a sentence for people about an error. */
export function describe(error) {
  if (error instanceof NetworkError) return "No connection. Please try again.";
  if (error instanceof ApiError) {
    if (error.code === "too_many_attempts") return `Too many attempts. Try again in ${error.retryAfter} seconds.`;
    return typeof error.detail === "string" ? error.detail : `The service answered ${error.status}.`;
  }
  if (error.name === "NotAllowedError") return "No passkey was used."; // cancelled, too late, or there is none
  if (error.name === "AbortError") return "";
  console.error(error);
  return "Something went wrong. Please reload the page.";
}

function showError(form, error) {
  const fields = error instanceof ApiError ? Object.entries(error.errors) : [];
  const known = fields.filter(([name]) => form.elements.namedItem(name));
  for (const [name, sentences] of known) {
    const field = form.elements.namedItem(name);
    const text = Object.assign(document.createElement("small"), { id: `${form.id}-${name}-error`, className: "error" });
    text.textContent = sentences.join(" ");
    field.after(text);
    field.ariaInvalid = "true";
    field.dataset.describedBy = field.getAttribute("aria-describedby") ?? "";
    field.setAttribute("aria-describedby", `${text.id} ${field.dataset.describedBy}`.trim());
  }
  if (known.length) {
    const first = form.elements.namedItem(known[0][0]);
    first.focus();
    first.select();
    return;
  }
  const text = describe(error);
  const alert = Object.assign(document.createElement("p"), { className: "error", role: "alert", textContent: text });
  if (text) form.append(alert);
}

function clearErrors(form) {
  form.querySelectorAll(".error").forEach((element) => element.remove());
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    if (field.dataset.describedBy) field.setAttribute("aria-describedby", field.dataset.describedBy);
    else field.removeAttribute("aria-describedby");
  }
}
