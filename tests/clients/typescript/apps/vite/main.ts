import { ApiError, createClient, localStorageAdapter, type Session, type SignInResult } from "latchkey-client";
import type { paths } from "latchkey-client";

export type Me = paths["/api/me/"]["get"]["responses"]["200"]["content"]["application/json"];

const client = createClient({ url: location.origin, storage: localStorageAdapter("vite") });
const output = document.querySelector("output") as HTMLOutputElement;

function show(session: Session): void {
  output.textContent = session.status === "signed-in" ? `signed-in ${session.userId.toFixed()}` : session.status;
}

client.on("change", show);
show(client.session);
client.load().catch((error: unknown) => {
  if (error instanceof ApiError) output.textContent = error.code;
});

export const signIn = (email: string, password: string): Promise<SignInResult> => client.signIn({ email, password });
