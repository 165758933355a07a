import { createContext, createElement, useCallback, useContext, useEffect, useSyncExternalStore } from "react";
import type { ReactElement, ReactNode } from "react";
import type { Client } from "./client.js";
import { type Session, UNKNOWN } from "./state.js";

const Context = createContext<Client | null>(null);

/** Gives a client to the components below it, and finds out who is signed in when it is mounted. */
export function LatchkeyProvider({ client, children }: { client: Client; children?: ReactNode }): ReactElement {
  useEffect(() => void client.load(), [client]); // Strict Mode does this twice, and single flight once
  return createElement(Context.Provider, { value: client }, children);
}

/** Returns the client of the nearest `LatchkeyProvider`. */
export function useLatchkey(): Client {
  const client = useContext(Context);
  if (!client) throw new Error("useLatchkey needs a LatchkeyProvider above it.");
  return client;
}

/** Returns the session, and renders again when it changes. In server-side rendering its status is "unknown". */
export function useSession(): Session {
  const client = useLatchkey();
  const subscribe = useCallback((listener: () => void) => client.on("change", listener), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.session,
    () => UNKNOWN,
  );
}
