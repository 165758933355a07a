// All entries of the package with their types.
import { createClient, memoryStorage, type StorageAdapter } from "latchkey-client";
import { LatchkeyProvider, useLatchkey, useSession } from "latchkey-client/react";
import { createServerClient, type ServerSession } from "latchkey-client/server";

const storage: StorageAdapter = memoryStorage();
export const client = createClient({ url: "https://auth.example.com", storage });
export const render = (cookie: string | null): Promise<ServerSession> =>
  createServerClient({ url: "http://127.0.0.1:8000", origin: "https://app.example.com", cookie }).refresh();
export const react = { LatchkeyProvider, useLatchkey, useSession };
