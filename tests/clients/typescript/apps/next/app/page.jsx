import { headers } from "next/headers";
import { createServerClient } from "latchkey-client/server";
import { Status } from "./auth.jsx";

export default async function Page() {
  const auth = createServerClient({
    url: process.env.LATCHKEY_URL,
    origin: process.env.APP_ORIGIN,
    cookie: (await headers()).get("cookie"),
  });
  const { session } = await auth.refresh();
  return (
    <main>
      <p id="server">{session.status}</p>
      <Status />
    </main>
  );
}
