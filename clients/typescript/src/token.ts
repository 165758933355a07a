/** The claims of an access token (RFC 7519) that a client may show. They are not verified: do not decide by them. */
export interface Claims {
  readonly user_id: number;
  /** Id of the session. */
  readonly sid: string;
  readonly roles?: readonly string[];
  readonly [claim: string]: unknown;
}

/**
 * An access token in memory, with its age.
 *
 * The age is time that has passed since it was received, compared with the lifetime `exp - iat`. `exp` itself is never
 * compared with the clock of the device, which may be wrong by hours.
 */
export class AccessToken {
  readonly claims: Claims & { readonly iat: number; readonly exp: number };
  readonly #monotonic = performance.now();
  readonly #received: number;

  /**
   * @param value the token in its compact form
   * @param received time of this device, in milliseconds, at which a tab received it
   */
  constructor(
    readonly value: string,
    received = Date.now(),
  ) {
    this.claims = decodePayload(value);
    this.#received = received;
  }

  /** Whether at least this share of the lifetime has passed. */
  isOlderThan(share: number): boolean {
    // performance.now() may stand still while the device sleeps, and Date.now() may be set back: the later one counts.
    const age = Math.max(performance.now() - this.#monotonic, Date.now() - this.#received);
    return age >= (this.claims.exp - this.claims.iat) * 1000 * share;
  }
}

/** Returns the payload of a JWT: base64url of JSON in UTF-8 (RFC 7515 section 3). */
function decodePayload(token: string): AccessToken["claims"] {
  const binary = atob((token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/"));
  const escaped = Array.from(binary, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return JSON.parse(decodeURIComponent(escaped.join("")));
}
