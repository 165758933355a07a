// Starts the app of docs/guides/mobile.md, comes to the front, and then does what the argument says. Prints the status.
import { AppState } from "react-native";
import { latchkey } from "./latchkey.js";
import "./resume.js";

const account = { email: "alice@example.com", password: "correct horse battery staple" };
const known = new Promise((resolve) => latchkey.on("change", resolve));
AppState.listener("active");
const seen = [(await known).status];
const [, , step] = process.argv;
if (step === "sign-in") {
  await latchkey.signUp(account);
  seen.push((await latchkey.signIn(account)).status);
}
if (seen.at(-1) === "signed-in") seen.push((await latchkey.fetch("/api/me/")).status);
if (step === "sign-out") {
  await latchkey.signOut();
  seen.push(latchkey.session.status);
}
console.log(JSON.stringify(seen));
process.exit();
