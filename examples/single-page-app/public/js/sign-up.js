/** Views "sign up" and "confirm": registration, and the code from the mail (docs/accounts.md). */
import { fill } from "./dom.js";
import { onSubmit } from "./forms.js";
import { client, latchkey } from "./latchkey.js";

export function signUp({ root, go }) {
  const form = root.querySelector("#sign-up-form");
  onSubmit(form, async ({ email, password }) => {
    await client.signUp({ email, password }); // the answer is the same whether or not the address has an account
    go("confirm", { email });
  });
  form.elements.email.focus();
}

export function confirm({ root, go, values: { email = "" } }) {
  const form = root.querySelector("#confirm-form");
  form.elements.email.value = email;
  onSubmit(form, async ({ email, code }, submitter) => {
    if (submitter?.value === "resend") {
      const { detail } = await latchkey("/api/email/verify/resend/", { method: "POST", body: { email } });
      fill(root, { notice: detail });
      return;
    }
    await latchkey("/api/email/verify/", { method: "POST", body: { email, code: code.trim() } });
    go("sign-in", { email, notice: "Your address is confirmed. Please sign in." });
  });
  form.elements[email ? "code" : "email"].focus();
}
