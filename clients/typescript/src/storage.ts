/**
 * A place for one value of less than 2 kB, such as an entry of localStorage or of a keychain.
 *
 * Methods may return promises. `get` returns null if there is nothing, and throws if the place cannot be read.
 */
export interface StorageAdapter {
  get(): string | null | Promise<string | null>;
  set(value: string): void | Promise<void>;
  remove(): void | Promise<void>;
  /** A name, if other tabs or workers of the origin have the same place: they then share locks and messages. */
  readonly sharedAs?: string;
}

/** Storage in an entry of localStorage: survives a reload, and every script of the origin can read it. */
export function localStorageAdapter(name = "latchkey"): StorageAdapter {
  return {
    get: () => localStorage.getItem(name),
    set: (value) => localStorage.setItem(name, value),
    remove: () => localStorage.removeItem(name),
    sharedAs: name,
  };
}

/** Storage in a variable: a reload signs out, and no other tab knows the session. */
export function memoryStorage(): StorageAdapter {
  let stored: string | null = null;
  return {
    get: () => stored,
    set: (value) => void (stored = value),
    remove: () => void (stored = null),
  };
}

/** What is stored of a session. */
export interface StoredSession {
  /** Random, made at sign-in: answers to requests of an older session are recognised by it. */
  readonly id: string;
  /** The newest refresh token; absent in a browser session, where it is a cookie. */
  readonly refreshToken?: string | undefined;
  /** `Idempotency-Key` of the refresh that has no answer yet. */
  readonly key?: string | undefined;
  /** "ending": signed out here, and the server does not know yet. "ended": nobody is signed in (browser sessions). */
  readonly state?: "ending" | "ended";
}

/**
 * The stored session, with a copy in memory for a storage that throws.
 *
 * After a failed write the copy is newer than the storage. It counts until a write succeeds, or until another tab has
 * written something.
 */
export class SessionStore {
  #copy: StoredSession | null | undefined;
  #unwritten = false;
  #raw: string | null = null;

  constructor(private readonly adapter: StorageAdapter) {}

  /** Returns the stored session; null if there is none. Throws what the storage throws if nothing is known. */
  async read(): Promise<StoredSession | null> {
    try {
      const raw = await this.adapter.get();
      if (this.#unwritten && raw === this.#raw && this.#copy !== undefined) {
        await this.write(this.#copy);
      } else {
        this.#unwritten = false;
        this.#raw = raw;
        this.#copy = parse(raw);
      }
    } catch (error) {
      if (this.#copy === undefined) throw error;
    }
    return this.#copy ?? null;
  }

  /** Stores a session; null removes it. If the storage throws, the copy in memory is used until it works again. */
  async write(session: StoredSession | null): Promise<void> {
    this.#copy = session;
    this.#unwritten = true;
    const raw = session && JSON.stringify(session);
    try {
      await (raw === null ? this.adapter.remove() : this.adapter.set(raw));
      this.#raw = raw;
      this.#unwritten = false;
    } catch {
      // A full or locked storage: see read().
    }
  }
}

function parse(raw: string | null): StoredSession | null {
  try {
    const value = JSON.parse(raw ?? "null") as StoredSession | null;
    return typeof value?.id === "string" ? value : null;
  } catch {
    return null;
  }
}
