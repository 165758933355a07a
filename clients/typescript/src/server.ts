import { ApiError, NetworkError } from "./errors.js";
import { createFetch } from "./fetch.js";
import { BROWSER_PATHS } from "./http.js";
import type { TokenAnswer } from "./session.js";
import { type Session, SIGNED_OUT, signedInBy, UNKNOWN } from "./state.js";
import { AccessToken } from "./token.js";

/** Options of `createServerClient`, for one request of a browser. */
export interface ServerClientOptions {
  /** The address of Latchkey as this server reaches it, such as `http://127.0.0.1:8000`. */
  url: string;
  /** The origin of your app, such as `https://app.example.com`; Latchkey accepts listed origins only. */
  origin: string;
  /** The `Cookie` header of the browser's request. */
  cookie: string | null | undefined;
  /** A secret of this server, at least 32 random characters. With it a page whose answer was lost signs nobody out. */
  secret?: string;
  /** Headers for Latchkey, such as `X-Forwarded-For` with the address of the browser, and its `User-Agent`. */
  headers?: Record<string, string>;
  /** Origins that `fetch` may send the access token to; default: that of `url` and `origin`. */
  origins?: string[];
  /** Replaces the global `fetch`. */
  fetch?: typeof fetch;
}

/** What a refresh has found out. */
export interface ServerSession {
  /** Null if nobody is signed in, or if Latchkey cannot be reached: then `session.status` is "unknown". */
  readonly accessToken: string | null;
  readonly session: Session;
  /** Values of `Set-Cookie` headers, each to be appended to the response of the page. */
  readonly setCookie: readonly string[];
}

/** The client of one request in server-side rendering, where Latchkey shares the host of the app. */
export interface ServerClient {
  /** Refreshes once; call it before the response begins, as its headers need `setCookie`. Does not throw. */
  refresh(): Promise<ServerSession>;
  /** Sends a request as the global `fetch` does, with the access token if it goes to one of the `origins`. */
  readonly fetch: typeof fetch;
}

/** Cookies of browser sessions; behind a path of the host they have that path at the end. */
const COOKIE = /^(__Host-)?latchkey-refresh(-|=)/;
/** Milliseconds until a refresh is aborted. */
const TIMEOUT = 10_000;
/** Milliseconds for which a success is used again: renders that began together may come one after another. */
const KEPT = 5_000;

/** Refreshes of this process, by address and cookie, so that parallel renders of one browser share one. */
const refreshes = new Map<string, Promise<ServerSession>>();

/** Creates the client of one request in server-side rendering. */
export function createServerClient(options: ServerClientOptions): ServerClient {
  const doFetch = options.fetch ?? fetch;
  const url = options.url.replace(/\/$/, "");
  const cookies = (options.cookie ?? "").split(/; */).filter((cookie) => COOKIE.test(cookie));
  const id = `${url} ${options.origin} ${cookies.join("; ")}`;

  const refresh = (): Promise<ServerSession> => {
    if (!cookies.length) return Promise.resolve(result(SIGNED_OUT));
    let pending = refreshes.get(id);
    if (!pending) {
      pending = send();
      refreshes.set(id, pending);
      void pending.then(({ accessToken }) => {
        if (!accessToken) return refreshes.delete(id);
        const timer: unknown = setTimeout(() => refreshes.delete(id), KEPT);
        return (timer as { unref?: () => void }).unref?.(); // does not keep the process alive
      });
    }
    return pending;
  };

  const send = async (): Promise<ServerSession> => {
    try {
      const response = await doFetch(`${url}${BROWSER_PATHS}refresh/`, {
        method: "POST",
        body: "{}",
        headers: {
          ...options.headers,
          "Content-Type": "application/json",
          Origin: options.origin,
          Cookie: cookies.join("; "),
          ...(options.secret && { "Idempotency-Key": await createKey(options.secret, cookies.join("; ")) }),
        },
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const setCookie = response.headers.getSetCookie();
      const body = await response.json().catch(() => ({}));
      if (response.ok) {
        const { access_token: accessToken } = body as TokenAnswer;
        return { accessToken, session: signedInBy(new AccessToken(accessToken)), setCookie };
      }
      const error = new ApiError(response.status, body);
      if (error.code !== "invalid_refresh_token") return result({ ...UNKNOWN, error });
      return result(SIGNED_OUT, setCookie);
    } catch (cause) {
      return result({ ...UNKNOWN, error: new NetworkError("No answer from the sign-in service.", { cause }) });
    }
  };

  const tokens = { accessToken: async (rejected?: string) => (rejected ? null : (await refresh()).accessToken) };
  const origins = options.origins ?? [new URL(url).origin, options.origin];
  return { refresh, fetch: createFetch(tokens, doFetch, origins, `${url}/`) };
}

const result = (session: Session, setCookie: string[] = []): ServerSession => ({
  accessToken: null,
  session,
  setCookie,
});

/**
 * Returns an `Idempotency-Key`: HMAC-SHA256 of the cookie (RFC 2104), in 64 hexadecimal digits.
 *
 * All processes make the same key of the same cookie, so a repeated render repeats the refresh, however late.
 */
async function createKey(secret: string, cookie: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(cookie)));
  return Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
