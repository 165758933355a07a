import { ApiError, NetworkError } from "./errors.js";
import { bearer, BROWSER_PATHS, post, randomId, type Server, sleep } from "./http.js";
import { type Session, SIGNED_OUT, signedInBy, UNKNOWN } from "./state.js";
import { SessionStore, type StorageAdapter, type StoredSession } from "./storage.js";
import { type Channel, createLock, type Lock, type Message, openChannel } from "./tabs.js";
import { AccessToken } from "./token.js";

/** The answer of every endpoint that opens or continues a session. A browser session has no refresh token in it. */
export interface TokenAnswer {
  access_token: string;
  refresh_token?: string;
}

/** Share of the lifetime after which a token is refreshed before it is sent. */
const STALE = 0.8;
/** A refresh is tried so often, and not again after so many milliseconds. */
const ATTEMPTS = 5;
const PATIENCE = 20_000;
/** Milliseconds; a longer Retry-After is not waited for, but passed on as an error. */
const LONGEST_WAIT = 10_000;

/**
 * The session of one client: its tokens, refresh (RFC 6749 section 6) and status.
 *
 * The rules are those of docs/sessions.md: one refresh at a time, the same token with the same `Idempotency-Key` until
 * an answer is stored, and only a 401 `invalid_refresh_token` for the stored token signs out.
 */
export class SessionManager {
  readonly #store: SessionStore;
  readonly #lock: Lock;
  readonly #channel: Channel;
  readonly #listeners = new Set<(session: Session) => void>();
  readonly #inBrowser: boolean;
  #session: Session = UNKNOWN;
  #id: string | undefined;
  #access: AccessToken | undefined;
  #refreshing: Promise<void> | undefined;
  #blocked: { until: number; error: Error } | undefined;
  #loading: Promise<Session> | undefined;
  #failedLoads = 0;
  #nextLoad: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param inBrowser whether the refresh token is a cookie; `storage` then has no token
   */
  constructor(
    private readonly server: Server,
    storage: StorageAdapter,
    inBrowser: boolean,
  ) {
    const name = storage.sharedAs === undefined ? undefined : `latchkey ${server.url} ${storage.sharedAs}`;
    this.#inBrowser = inBrowser;
    this.#store = new SessionStore(storage);
    this.#lock = createLock(name);
    const synchronize = () => void this.#synchronize();
    this.#channel = openChannel(name, storage.sharedAs, (message) => this.#receive(message), synchronize);
    globalThis.addEventListener?.("online", () => {
      if (this.#session.status === "unknown" && this.#failedLoads) void this.load();
    });
  }

  get session(): Session {
    return this.#session;
  }

  /** Calls a function after each change of the session; returns a function that ends that. */
  subscribe(listener: (session: Session) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Finds out whether somebody is signed in, again and again until it is known; resolves after the first try. */
  load(again = false): Promise<Session> {
    this.#loading ??= this.#load(again).finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #load(again: boolean): Promise<Session> {
    try {
      if (again && this.#inBrowser && this.#session.status !== "signed-in") {
        await this.#store.write(null); // which may say that the cookie is of an ended session
        this.#set(UNKNOWN);
      }
      if (this.#session.status === "unknown") await this.refresh();
      this.#failedLoads = 0;
    } catch (error) {
      if (this.#session.status !== "unknown") return this.#session; // another tab knew
      this.#set({ ...UNKNOWN, error: error as Error });
      clearTimeout(this.#nextLoad);
      this.#nextLoad = setTimeout(() => void this.load(), Math.min(60, 5 * 2 ** this.#failedLoads++) * 1000);
      (this.#nextLoad as { unref?: () => void }).unref?.(); // Node: does not keep the process alive
    }
    return this.#session;
  }

  /**
   * Returns an access token that is not stale, and refreshes if there is none; null if nobody is signed in.
   *
   * @param rejected a token that a service answered with 401
   * @throws ApiError or NetworkError if Latchkey cannot answer, and the present token has expired
   */
  async accessToken(rejected?: string): Promise<string | null> {
    if (!this.#isUsable(rejected) && this.#session.status !== "signed-out") {
      try {
        await this.refresh(rejected);
      } catch (error) {
        if (!this.#access || this.#access.value === rejected || this.#access.isOlderThan(1)) throw error;
      }
    }
    return this.#access?.value ?? null;
  }

  #isUsable(rejected: string | undefined): boolean {
    return !!this.#access && this.#access.value !== rejected && !this.#access.isOlderThan(STALE);
  }

  /** Refreshes once, for all callers of this tab together. */
  refresh(rejected?: string): Promise<void> {
    this.#refreshing ??= this.#retry(() => this.#refresh(rejected)).finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** Repeats work under the lock, with jittered exponential backoff, while it fails without an answer or with 5xx. */
  async #retry(work: () => Promise<void>): Promise<void> {
    if (this.#blocked && this.#blocked.until > performance.now()) throw this.#blocked.error;
    const started = performance.now();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#lock(work);
      } catch (error) {
        const asked = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0;
        if (asked > LONGEST_WAIT) this.#blocked = { until: performance.now() + asked, error: error as Error };
        const isTransient = error instanceof NetworkError || (error instanceof ApiError && error.status >= 500);
        const isLast = attempt === ATTEMPTS || performance.now() - started > PATIENCE;
        if (!(isTransient || asked) || asked > LONGEST_WAIT || isLast) throw error;
        await sleep(asked + 250 * 2 ** attempt * Math.random());
      }
    }
  }

  /** One refresh, under the lock. */
  async #refresh(rejected: string | undefined): Promise<void> {
    if (this.#isUsable(rejected)) return; // another tab has refreshed meanwhile
    const stored = await this.#read();
    if (stored?.state === "ending") void this.#finishSignOut().catch(() => {}); // of an earlier page
    if (stored ? stored.state : !this.#inBrowser) return this.#signOutHere();
    const sent: StoredSession = { ...stored, id: stored?.id ?? randomId(), key: stored?.key ?? randomId() };
    this.#id = sent.id;
    if (!stored?.key) await this.#store.write(sent); // before the request, so that a restart can repeat it
    let answer: TokenAnswer;
    try {
      const body = this.#inBrowser ? {} : { refresh_token: sent.refreshToken };
      answer = await post(this.server, this.#path("refresh/"), body, { "Idempotency-Key": sent.key as string });
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "invalid_refresh_token")) throw error;
      if (await this.#isCurrent(sent)) return this.#forget(sent);
      return this.#refresh(rejected); // the session of a newer sign-in, or a token of another tab
    }
    const now = await this.#store.read();
    if (now?.id !== sent.id || now.state) return this.#refresh(rejected); // late: somebody has signed in or out
    if (await this.#isCurrent(sent)) await this.#store.write({ id: sent.id, refreshToken: answer.refresh_token });
    this.#accept(sent.id, answer.access_token);
  }

  /** Reads the storage. Where it is blocked, a browser session needs none: its token is the cookie. */
  async #read(): Promise<StoredSession | null> {
    return this.#store.read().catch((error) => {
      if (this.#inBrowser) return null;
      throw error;
    });
  }

  /** Whether what was sent is what is stored now. Without Web Locks another tab may have stored more. */
  async #isCurrent(sent: StoredSession): Promise<boolean> {
    const now = await this.#store.read();
    const isSame = this.#inBrowser ? now?.key === sent.key : now?.refreshToken === sent.refreshToken;
    return isSame && now?.id === sent.id && !now.state;
  }

  /** Sends a request that opens a session, and stores its answer. A stored session that it replaces is ended. */
  open<Answer extends TokenAnswer>(path: string, body: object): Promise<Answer> {
    return this.#lock(async () => {
      const answer = await post<Answer>(this.server, path, body);
      const replaced = await this.#store.read().catch(() => null);
      await this.#begin(answer);
      if (replaced?.refreshToken) void this.#revoke(replaced.refreshToken).catch(() => {});
      return answer;
    });
  }

  /** Sends a request that answers a new access token of the present session (step-up, RFC 9470). */
  stepUp(path: string, body: object): Promise<void> {
    return this.#continue(path, body, async (id, answer) => this.#accept(id, answer.access_token));
  }

  /** Sends a request of the present session that ends it, and answers another one in its place. */
  replace(path: string, body: object): Promise<void> {
    return this.#continue(path, body, (_, answer) => this.#begin(answer));
  }

  /** Sends a request of the present session. An answer that arrives after a sign-out is discarded. */
  async #continue(path: string, body: object, use: (id: string, answer: TokenAnswer) => Promise<void>): Promise<void> {
    const token = await this.accessToken();
    const id = this.#id;
    await this.#lock(async () => {
      const answer = await post<TokenAnswer>(this.server, path, body, token ? bearer(token) : {});
      const now = await this.#store.read().catch(() => undefined); // unreadable: nothing speaks against it
      const isCurrent = id && this.#id === id && (now === undefined || (now?.id === id && !now.state));
      if (isCurrent) await use(id, answer);
      else if (answer.refresh_token) await this.#revoke(answer.refresh_token);
    });
  }

  async #begin(answer: TokenAnswer): Promise<void> {
    this.#id = randomId();
    await this.#store.write({ id: this.#id, refreshToken: answer.refresh_token });
    this.#accept(this.#id, answer.access_token);
  }

  #revoke(refreshToken: string): Promise<unknown> {
    return post(this.server, "/api/logout/", { refresh_token: refreshToken });
  }

  /** Returns the path of an endpoint that exists for stored refresh tokens and for cookies. */
  #path(name: string): string {
    return (this.#inBrowser ? BROWSER_PATHS : "/api/") + name;
  }

  /** Ends the session: here and in the other tabs at once, then at Latchkey. A later page repeats that if it fails. */
  async signOut(): Promise<void> {
    const stored = await this.#store.read().catch(() => null);
    const id = stored?.id ?? this.#id ?? randomId();
    if (this.#inBrowser || stored?.refreshToken) {
      await this.#store.write({ id, refreshToken: stored?.refreshToken, state: "ending" });
    }
    this.#signOutHere();
    this.#channel.post({ type: "ended", id });
    await this.#finishSignOut();
  }

  #finishSignOut(): Promise<void> {
    return this.#retry(async () => {
      const stored = await this.#store.read();
      if (stored?.state !== "ending") return; // somebody has signed in
      await post(this.server, this.#path("logout/"), this.#inBrowser ? {} : { refresh_token: stored.refreshToken });
      await this.#store.write(this.#inBrowser ? { id: stored.id, state: "ended" } : null);
    });
  }

  /** Removes a session that Latchkey has refused. */
  async #forget({ id }: StoredSession): Promise<void> {
    await this.#store.write(this.#inBrowser ? { id, state: "ended" } : null);
    this.#signOutHere();
    this.#channel.post({ type: "ended", id });
  }

  #signOutHere(): void {
    this.#access = undefined;
    this.#set(SIGNED_OUT);
  }

  #accept(id: string, accessToken: string): void {
    const received = Date.now();
    this.#use(new AccessToken(accessToken, received));
    this.#channel.post({ type: "token", id, accessToken, received });
  }

  #use(access: AccessToken): void {
    this.#access = access;
    this.#set(signedInBy(access));
  }

  #set(session: Session): void {
    const isError = session.status === "unknown" && session.error;
    if (!isError && JSON.stringify(session) === JSON.stringify(this.#session)) return;
    this.#session = session;
    this.#listeners.forEach((listener) => listener(session));
  }

  #receive(message: Message): void {
    if (message.id !== this.#id) void this.#synchronize(message);
    else if (message.type === "ended") this.#signOutHere();
    else if (this.#session.status !== "signed-out") this.#use(new AccessToken(message.accessToken, message.received));
  }

  /** Reads the storage after another tab has changed it. */
  async #synchronize(message?: Message): Promise<void> {
    const stored = await this.#store.read().catch(() => undefined);
    if (stored === undefined) return; // unreadable: nothing is known
    if (stored ? stored.state : !this.#inBrowser) return this.#signOutHere();
    if (!stored || stored.id === this.#id) return;
    this.#id = stored.id;
    this.#access = undefined;
    if (message?.type === "token" && message.id === stored.id) {
      return this.#use(new AccessToken(message.accessToken, message.received));
    }
    if (this.#session.status === "unknown") return; // nobody has asked yet, or load() is running
    this.#set(UNKNOWN);
    void this.load();
  }
}
