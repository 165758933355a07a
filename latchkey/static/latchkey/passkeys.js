// Passkeys on the account pages (WebAuthn Level 3). A form with data-passkey fetches options from data-options when it is
// sent, has the browser ask an authenticator, and sends the answer in its hidden fields. Without this script, or in a
// browser that cannot do it, these forms stay hidden, and sentences with data-without-passkeys say why.
"use strict";

const supported = window.PublicKeyCredential?.parseRequestOptionsFromJSON && PublicKeyCredential.parseCreationOptionsFromJSON;
const SENTENCES = {
  InvalidStateError: "This device has a passkey of your account already.",
  NotAllowedError: "No passkey was used. Try again, or choose another way.",
};
const FAILED = "That did not work. Try again in a minute.";
let waiting; // the request of the browser's autofill, which a press of a button replaces

async function fetchOptions(form) {
  const answer = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const body = await answer.json();
  if (answer.ok) return body;
  if (["not_authenticated", "step_up_required"].includes(body.code)) location.reload(); // the page leads to what is missing
  throw new Error(body.detail);
}

async function askAuthenticator(form, mediation) {
  waiting?.abort();
  const { options, ticket, expires_in } = await fetchOptions(form);
  const { signal } = (waiting = new AbortController());
  let credential;
  if (form.dataset.passkey === "create") {
    credential = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), signal });
  } else {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    if (mediation) setTimeout(() => signal.aborted || offer(form), (expires_in - 10) * 1000);
    credential = await navigator.credentials.get({ publicKey, signal, ...(mediation && { mediation }) });
  }
  form.elements.ticket.value = ticket;
  form.elements.passkey.value = JSON.stringify(credential);
  form.submit();
}

async function press(event) {
  event.preventDefault();
  const form = event.target, message = form.querySelector("[role=alert]"), button = form.querySelector("button");
  button.disabled = true;
  message.textContent = "";
  try {
    await askAuthenticator(form);
  } catch (error) {
    message.textContent = SENTENCES[error.name] ?? (error.name === "Error" ? error.message : FAILED);
    button.disabled = false;
    button.focus();
  }
}

// Has the browser offer passkeys in the field of the e-mail address (conditional mediation).
async function offer(form) {
  if (await PublicKeyCredential.isConditionalMediationAvailable?.()) await askAuthenticator(form, "conditional").catch(() => {});
}

for (const sentence of supported ? document.querySelectorAll("[data-without-passkeys]") : []) sentence.hidden = true;
for (const form of supported ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  form.addEventListener("submit", press);
  if ("offer" in form.dataset) offer(form);
}
