/** Views "sign in" and "second factor": a password or a passkey, then a code if the account asks for one. */
import { fill } from "./dom.js";
import { onSubmit } from "./forms.js";
import { client, LATCHKEY_URL } from "./latchkey.js";

export function signIn({ root, go, values: { email = "", notice = "" }, signal }) {
  const form = root.querySelector("#password-form");
  fill(root, { notice });
  form.elements.email.value = email;
  form.elements[email ? "password" : "email"].focus();

  onSubmit(form, async ({ email, password }) => {
    let result;
    try {
      result = await client.signIn({ email, password });
    } catch (error) {
      if (error.code !== "email_not_verified") throw error;
      return go("confirm", { email });
    }
    if (result.status === "second-factor") go("second-factor", result);
    if (result.status === "enrolment") location.assign(`${LATCHKEY_URL}/account/sign-in/`); // its pages set one up
  }); // after "signed-in" the session has changed, and app.js shows the notes

  onSubmit(root.querySelector("#passkey-form"), () => client.signInWithPasskey({ signal }));
  client.signInWithPasskey({ conditional: true, signal }).catch(() => {}); // in the autofill of the e-mail field
}

/** The ticket stands for the password: it is in memory alone, and a reload begins with the password again. */
export function secondFactor({ root, go, values: { ticket, factors = [] }, signal }) {
  if (!ticket) return go("sign-in");
  for (const part of root.querySelectorAll("[data-factor]")) part.hidden = !factors.includes(part.dataset.factor);
  const prove = async (proof) => {
    try {
      await client.secondFactor({ ticket, ...proof });
    } catch (error) {
      if (error.code !== "invalid_ticket") throw error;
      go("sign-in", { notice: "This took too long. Please sign in again." });
    }
  };
  onSubmit(root.querySelector("#code-form"), ({ code }) => prove({ code: code.replaceAll(" ", "") }));
  onSubmit(root.querySelector("#passkey-form"), () => prove({ passkey: true, signal }));
  onSubmit(root.querySelector("#recovery-form"), ({ recoveryCode }) => prove({ recoveryCode: recoveryCode.trim() }));
  root.querySelector("form:not([hidden]) input, form:not([hidden]) button")?.focus();
}
