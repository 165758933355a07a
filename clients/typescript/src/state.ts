import type { AccessToken, Claims } from "./token.js";

/** Who is signed in. "unknown" is not "signed out": nothing was read yet, or Latchkey cannot be reached. */
export type Session =
  | { readonly status: "unknown"; readonly userId: null; readonly claims: null; readonly error: Error | null }
  | { readonly status: "signed-out"; readonly userId: null; readonly claims: null }
  | { readonly status: "signed-in"; readonly userId: number; readonly claims: Claims };

export const UNKNOWN = { status: "unknown", userId: null, claims: null, error: null } as const;
export const SIGNED_OUT = { status: "signed-out", userId: null, claims: null } as const;

/** Returns the session that an access token is of, without the claims that are new in each token. */
export function signedInBy(token: AccessToken): Session {
  const { iat: _, exp: __, jti: ___, ...claims } = token.claims;
  return { status: "signed-in", userId: claims.user_id, claims: claims as Claims };
}
