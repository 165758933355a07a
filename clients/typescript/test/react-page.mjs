// A page with the React hooks, in Strict Mode: every effect runs twice. Bundled by esbuild for Chromium.
import { createClient, localStorageAdapter } from "latchkey-client";
import { LatchkeyProvider, useLatchkey, useSession } from "latchkey-client/react";
import { createElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";

globalThis.client = createClient({ url: location.origin, storage: localStorageAdapter() });
globalThis.renders = 0;

function Page() {
  globalThis.renders++;
  const auth = useLatchkey();
  const session = useSession();
  return createElement("button", { onClick: () => auth.signOut() }, `${session.status} ${session.userId ?? "nobody"}`);
}

const page = createElement(LatchkeyProvider, { client: globalThis.client }, createElement(Page));
createRoot(document.body).render(createElement(StrictMode, null, page));
