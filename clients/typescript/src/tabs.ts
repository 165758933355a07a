import { randomId, sleep } from "./http.js";

/** Runs one piece of work at a time; the others wait. */
export type Lock = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Milliseconds after which a lease ends by itself: more than the timeout of the one request that is sent under it. */
const LEASE = 12_000;
/** Milliseconds that a write to localStorage may take to reach another tab. */
const PROPAGATION = 40;

/**
 * Returns a lock across the tabs and workers of an origin, or within this client if `name` is undefined.
 *
 * It is the Web Locks API where that exists (https, localhost), else a lease in localStorage. A lease is best effort:
 * two tabs may rarely hold it together, and the server then gives both the same new token.
 */
export function createLock(name: string | undefined): Lock {
  if (name === undefined) return createQueue();
  return async (work) => {
    const { locks } = (globalThis as { navigator?: Navigator }).navigator ?? {};
    let started = false;
    try {
      if (locks) {
        return await locks.request(name, () => {
          started = true;
          return work();
        });
      }
    } catch (error) {
      if (started) throw error; // of the work itself; else locks are forbidden here
    }
    return withLease(`${name}:lease`, work);
  };
}

function createQueue(): Lock {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}

async function withLease<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const mine = randomId();
  try {
    for (;;) {
      const [, until] = readLease(name);
      const expired = until < Date.now() || until > Date.now() + LEASE; // the second: the clock was set back
      if (expired) {
        localStorage.setItem(name, `${mine} ${Date.now() + LEASE}`);
        await sleep(PROPAGATION);
        if (readLease(name)[0] === mine) break; // of two tabs the one that wrote last
      }
      await sleep(PROPAGATION * (1 + Math.random()));
    }
  } catch {
    return work(); // no localStorage here
  }
  const release = () => {
    if (readLease(name)[0] === mine) localStorage.removeItem(name);
  };
  globalThis.addEventListener?.("pagehide", release);
  try {
    return await work();
  } finally {
    globalThis.removeEventListener?.("pagehide", release);
    release();
  }
}

/** Returns who has the lease, and until when (Unix milliseconds). */
function readLease(name: string): [string, number] {
  const [owner = "", until = "0"] = (localStorage.getItem(name) ?? "").split(" ");
  return [owner, Number(until)];
}

/** What one tab tells the others. */
export type Message =
  /** A new access token of a session, and the time of this device at which it was received (Unix milliseconds). */
  | { readonly type: "token"; readonly id: string; readonly accessToken: string; readonly received: number }
  /** A session has ended. */
  | { readonly type: "ended"; readonly id: string };

/** Messages between the tabs of an origin. */
export interface Channel {
  post(message: Message): void;
}

/**
 * Opens a BroadcastChannel, and listens to the storage event, which tabs get where BroadcastChannel is missing.
 *
 * @param onStorage is called if another tab has written the entry `name` of localStorage
 */
export function openChannel(
  name: string | undefined,
  storageKey: string | undefined,
  onMessage: (message: Message) => void,
  onStorage: () => void,
): Channel {
  if (name === undefined) return { post: () => {} };
  globalThis.addEventListener?.("storage", (event) => {
    const { key } = event as StorageEvent;
    if (key === storageKey || key === null) onStorage(); // null: localStorage.clear()
  });
  if (typeof BroadcastChannel === "undefined") return { post: () => {} };
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<Message>) => onMessage(event.data);
  (channel as { unref?: () => void }).unref?.(); // Node: does not keep the process alive
  return { post: (message) => channel.postMessage(message) };
}
