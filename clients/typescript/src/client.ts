import type { components } from "./api.js";
import { ApiError } from "./errors.js";
import { createFetch } from "./fetch.js";
import { bearer, BROWSER_PATHS, post, type Server } from "./http.js";
import { abortPasskey, createPasskey, getPasskey, passkeySupport } from "./passkeys.js";
import { SessionManager, type TokenAnswer } from "./session.js";
import type { Session } from "./state.js";
import { localStorageAdapter, type StorageAdapter } from "./storage.js";

type Schemas = components["schemas"];

/** Options of `createClient`. Give either `storage` or `browserSession`. */
export interface ClientOptions {
  /** The address of Latchkey, such as `https://auth.example.com` or, behind a path of your host, `/auth`. */
  url: string;
  /** Where the refresh token is kept: `localStorageAdapter()`, `memoryStorage()` or an adapter of yours. */
  storage?: StorageAdapter;
  /** Keep the refresh token in an HttpOnly cookie of Latchkey, which no script can read. */
  browserSession?: true;
  /** Origins that `client.fetch` may send the access token to; default: those of `url` and of the page. */
  origins?: string[];
  /** Replaces the global `fetch`. */
  fetch?: typeof fetch;
  /** Milliseconds until a request to Latchkey is aborted; default: 10,000, which is also the most. */
  timeout?: number;
}

/** The result of a sign-in. All but the first need a further step with the ticket, within `expiresIn` seconds. */
export type SignInResult =
  | { status: "signed-in" }
  | { status: "second-factor"; ticket: string; factors: string[]; expiresIn: number }
  | { status: "enrolment"; ticket: string; expiresIn: number };

/** The result of setting up a second factor within a sign-in. Show the recovery codes once. */
export interface EnrolmentResult {
  status: "signed-in";
  recoveryCodes: string[];
}

/** What a person proves: exactly one of these. `passkey` asks the browser for it. */
export type Proof =
  | { code: string }
  | { recoveryCode: string }
  | { passkey: true; signal?: AbortSignal };

/** Creates the client of one Latchkey. Create one for each page or app; nothing is sent before it is used. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}

/**
 * A client of Latchkey: sign-in, session and authenticated requests.
 *
 * Methods throw ApiError for an error that Latchkey answered, NetworkError without an answer.
 */
export class Client {
  readonly #server: Server;
  readonly #manager: SessionManager;
  readonly #inBrowser: boolean;

  /**
   * Sends a request as the global `fetch` does, with the access token if it goes to one of the `origins`.
   *
   * It refreshes before the token expires, and repeats the request once after a 401. A response with another error
   * status is returned, not thrown.
   */
  readonly fetch: typeof fetch;

  constructor(options: ClientOptions) {
    const { browserSession = false, storage, timeout = 10_000 } = options;
    if (browserSession === !!storage) throw new TypeError("Give either storage or browserSession: true.");
    const doFetch = options.fetch ?? ((...given: Parameters<typeof fetch>) => fetch(...given));
    const page = (globalThis as { location?: Location }).location;
    const url = new URL(options.url, page?.href ?? "http://localhost"); // the latter: imported by a server that renders
    const origins = options.origins ?? [url.origin, page?.origin ?? url.origin];
    this.#server = {
      url: url.href.replace(/\/$/, ""),
      fetch: doFetch,
      timeout: Math.min(timeout, 10_000),
    };
    this.#inBrowser = browserSession;
    const place = storage ?? localStorageAdapter("latchkey-session"); // a browser session has its key there
    this.#manager = new SessionManager(this.#server, place, browserSession);
    this.fetch = createFetch(this.#manager, doFetch, origins, page?.href ?? `${this.#server.url}/`);
  }

  /** Who is signed in, as far as it is known. The same object until it changes. */
  get session(): Session {
    return this.#manager.session;
  }

  /** Calls a function after each change of `session`, also by other tabs. Returns a function that ends that. */
  on(_event: "change", listener: (session: Session) => void): () => void {
    return this.#manager.subscribe(listener);
  }

  /**
   * Finds out who is signed in; call it once at the start. Offline the status stays "unknown", and is tried again.
   *
   * After a sign-out a browser session is not asked for again, unless by `again`: something else has set the cookie.
   */
  load({ again = false }: { again?: boolean } = {}): Promise<Session> {
    return this.#manager.load(again);
  }

  /** Returns an access token that is not stale, for a WebSocket or another client library; null if signed out. */
  getAccessToken(): Promise<string | null> {
    return this.#manager.accessToken();
  }

  /** Creates an account; signs nobody in. The answer has `id`, or only `detail` where mails have to be confirmed. */
  signUp(account: Schemas["RegisterInput"]): Promise<Schemas["RegisterOutput"] | Schemas["DetailOutput"]> {
    return post(this.#server, "/api/register/", account);
  }

  /** Signs in with e-mail address and password. */
  async signIn({ email, password }: Schemas["LoginInput"]): Promise<SignInResult> {
    try {
      return await this.#open(this.#path("login/"), { email, password });
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "second_factor_required")) throw error;
      const { ticket, factors, expires_in, enrol } = error.body as Record<string, any>;
      return enrol
        ? { status: "enrolment", ticket, expiresIn: expires_in }
        : { status: "second-factor", ticket, factors, expiresIn: expires_in };
    }
  }

  /** Completes a sign-in with a second factor. After `invalid_code` the same ticket can be used again. */
  async secondFactor({ ticket, ...proof }: { ticket: string } & Proof): Promise<SignInResult> {
    const proved = await this.#prove(proof, () => this.#options("/api/login/second-factor/passkey/", { ticket }));
    return this.#open(this.#path("second-factor/", "login/second-factor/"), { ...proved, ticket });
  }

  /**
   * Signs in with a passkey alone.
   *
   * With `conditional`, passkeys are offered in the autofill of `<input autocomplete="username webauthn">`, and the
   * promise stays open until one is chosen; it returns "unavailable" where the browser cannot do that. Any other
   * request for a passkey ends it with an `AbortError`, and so does `signal`.
   */
  async signInWithPasskey(
    given: { conditional?: boolean; signal?: AbortSignal } = {},
  ): Promise<SignInResult | { status: "unavailable" }> {
    const { conditional = false, signal } = given;
    if (conditional && !(await passkeySupport()).conditional) return { status: "unavailable" };
    for (;;) {
      const { ticket, options } = await this.#options("/api/login/passkey/options/");
      const passkey = await getPasskey(options, signal, conditional ? "conditional" : "optional");
      try {
        return await this.#open(this.#path("passkey/", "login/passkey/"), { ticket, passkey });
      } catch (error) {
        // A form may be open for longer than its challenge lives: offer the passkeys again, with a new one.
        if (!(conditional && error instanceof ApiError && error.code === "invalid_ticket")) throw error;
      }
    }
  }

  /** Begins to set up an authenticator app within a sign-in with the status "enrolment". */
  beginTotpEnrolment({ ticket }: { ticket: string }): Promise<Schemas["TotpSecretOutput"]> {
    return post(this.#server, "/api/login/enrolment/totp/", { ticket });
  }

  /** Completes a sign-in with the first code of the new authenticator app. */
  enrolTotp({ ticket, code }: { ticket: string; code: string }): Promise<EnrolmentResult> {
    return this.#enrol("totp", { ticket, code });
  }

  /** Completes a sign-in with a new passkey. */
  async enrolPasskey(given: { ticket: string; name?: string; signal?: AbortSignal }): Promise<EnrolmentResult> {
    const { ticket, name = "", signal } = given;
    const { options } = await this.#options("/api/login/enrolment/passkey/", { ticket });
    return this.#enrol("passkey", { ticket, name, passkey: await createPasskey(options, signal) });
  }

  /** Adds a passkey to the account that is signed in; after 403 `step_up_required` call `stepUp` first. */
  async addPasskey(given: { name?: string; signal?: AbortSignal } = {}): Promise<Schemas["AddedPasskeyOutput"]> {
    const headers = await this.#authorization();
    const { ticket, options } = await this.#options("/api/me/passkeys/options/", {}, headers);
    const passkey = await createPasskey(options, given.signal);
    const body = { ticket, name: given.name ?? "", passkey };
    return post(this.#server, "/api/me/passkeys/", body, await this.#authorization());
  }

  /** Authenticates again in the same session, for a sensitive change (RFC 9470). Later access tokens say so. */
  async stepUp(proof: Proof | { password: string }): Promise<void> {
    const ask = async () => this.#options("/api/step-up/passkey/", {}, await this.#authorization());
    const proved = await this.#prove(proof, ask);
    await this.#manager.stepUp("/api/step-up/", proved);
  }

  /** Changes the password. All sessions of the account end, and a new one takes the place of this one. */
  async changePassword(given: { currentPassword: string; newPassword: string }): Promise<void> {
    const body = { current_password: given.currentPassword, new_password: given.newPassword };
    await this.#manager.replace(this.#path("password/change/"), body);
  }

  /**
   * Signs out, here and in all other tabs at once.
   *
   * If Latchkey cannot be reached, it throws after some attempts, and a later page ends the session at Latchkey.
   */
  signOut(): Promise<void> {
    return this.#manager.signOut();
  }

  async #open(path: string, body: object): Promise<{ status: "signed-in" }> {
    await this.#manager.open(path, body);
    abortPasskey(); // the autofill of the form that was used
    return { status: "signed-in" };
  }

  async #enrol(factor: string, body: object): Promise<EnrolmentResult> {
    const path = this.#path(`enrolment/${factor}/`, `login/enrolment/${factor}/confirm/`);
    const answer = await this.#manager.open<TokenAnswer & { recovery_codes: string[] }>(path, body);
    return { status: "signed-in", recoveryCodes: answer.recovery_codes };
  }

  /** Returns the path of an endpoint that sets the cookie of a browser session, or else answers a refresh token. */
  #path(inBrowser: string, stored = inBrowser): string {
    return this.#inBrowser ? BROWSER_PATHS + inBrowser : `/api/${stored}`;
  }

  #options(path: string, body: object = {}, headers = {}): Promise<Schemas["CeremonyOutput"]> {
    return post(this.#server, path, body, headers);
  }

  async #authorization(): Promise<Record<string, string>> {
    const token = await this.getAccessToken();
    return token === null ? {} : bearer(token);
  }

  /** Returns the members of a request that prove something; asks the browser for a passkey where that is the proof. */
  async #prove(
    proof: Proof | { password: string },
    ask: () => Promise<Schemas["CeremonyOutput"]>,
  ): Promise<Record<string, unknown>> {
    if ("recoveryCode" in proof) return { recovery_code: proof.recoveryCode };
    if (!("passkey" in proof)) return { ...proof };
    const { ticket, options } = await ask();
    return { ticket, passkey: await getPasskey(options, proof.signal) };
  }
}
