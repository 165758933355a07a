import { bearer } from "./http.js";
import type { SessionManager } from "./session.js";

/** The part of a session that `fetch` needs. */
export type AccessTokens = Pick<SessionManager, "accessToken">;

/**
 * Returns a `fetch` that adds the access token as a bearer token (RFC 6750 section 2.1) to requests to some origins.
 *
 * @param base what relative addresses are relative to
 */
export function createFetch(
  session: AccessTokens,
  doFetch: typeof fetch,
  origins: readonly string[],
  base: string,
): typeof fetch {
  const allowed = new Set(origins);
  allowed.delete("null"); // the origin of every data: URL and of many others (URL standard)
  return async (input, init) => {
    const isRequest = typeof input === "object" && "headers" in input;
    const url = new URL(isRequest ? input.url : input, base);
    const headers = new Headers(init?.headers ?? (isRequest ? input.headers : undefined));
    if (!allowed.has(url.origin) || headers.has("Authorization")) return doFetch(input, init);
    const send = (token: string | null) => {
      for (const [name, value] of Object.entries(token ? bearer(token) : {})) headers.set(name, value);
      return doFetch(isRequest ? input.clone() : url, { ...init, headers });
    };
    const sent = await session.accessToken();
    const response = await send(sent);
    const isRepeatable = typeof (init?.body as Partial<ReadableStream> | undefined)?.getReader !== "function";
    if (response.status !== 401 || !sent || !isRepeatable || needsStepUp(response)) return response;
    const next = await session.accessToken(sent).catch(() => null);
    if (!next || next === sent) return response;
    await response.body?.cancel();
    return send(next);
  };
}

/** Whether a service asks for a recent or stronger authentication (RFC 9470), which a refresh does not give. */
const needsStepUp = (response: Response): boolean =>
  response.headers.get("WWW-Authenticate")?.includes("insufficient_user_authentication") ?? false;
