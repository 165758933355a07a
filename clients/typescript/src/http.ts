import { ApiError, NetworkError, type Problem } from "./errors.js";

/** How Latchkey is reached. */
export interface Server {
  /** The address of Latchkey, without a slash at the end. */
  readonly url: string;
  readonly fetch: typeof fetch;
  /** Milliseconds until a request is aborted, so that no answer arrives later. */
  readonly timeout: number;
}

/** The paths of browser sessions, whose refresh token is an HttpOnly cookie. */
export const BROWSER_PATHS = "/api/browser/";

/**
 * Sends a JSON request to Latchkey and returns the parsed body.
 *
 * @throws ApiError for an error status
 * @throws NetworkError if there is no answer in time, or a success whose body is not JSON (such as a captive portal)
 */
export async function post<Answer>(
  server: Server,
  path: string,
  body: object = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), server.timeout);
  try {
    const { fetch } = server; // called without a receiver, as browsers demand
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", ...headers },
      body: JSON.stringify(body),
      credentials: path.startsWith(BROWSER_PATHS) ? "include" : "omit", // only these set and read a cookie
      signal: controller.signal,
    });
    const parsed = await response.json().catch((error) => {
      if (response.ok) throw error;
      return {}; // the error page of a proxy
    });
    if (response.ok) return parsed as Answer;
    const problem = parsed as Partial<Problem>;
    const wait = Number(response.headers.get("Retry-After"));
    throw new ApiError(response.status, wait && !problem.retry_after ? { ...problem, retry_after: wait } : problem);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new NetworkError("No answer from the sign-in service.", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the Authorization header of an access token (RFC 6750 section 2.1). */
export const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });

/** Returns a promise that resolves after some milliseconds. */
export const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/**
 * Returns a random identifier: a UUID, or 32 hexadecimal digits.
 *
 * `crypto.randomUUID` is missing on pages without https, and React Native has no `crypto` at all.
 */
export function randomId(): string {
  const { crypto } = globalThis as { crypto?: Crypto };
  if (crypto?.randomUUID) return crypto.randomUUID();
  const bytes = new Uint8Array(16);
  if (crypto) crypto.getRandomValues(bytes);
  else bytes.forEach((_, index) => (bytes[index] = Math.random() * 256));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
