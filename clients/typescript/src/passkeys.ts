/** What a passkey returns, as JSON (WebAuthn Level 3, `toJSON()`), for the member `passkey` of a request. */
export type PasskeyAnswer = Record<string, unknown>;

/** The one request to the browser that may be open: a second one would fail while the first waits. */
let open: AbortController | undefined;

/** Whether this browser can use passkeys, and whether it can offer them in the autofill of a form. */
export async function passkeySupport(): Promise<{ available: boolean; conditional: boolean }> {
  const available = typeof PublicKeyCredential !== "undefined";
  const conditional = available && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
  return { available, conditional };
}

/**
 * Asks for a signature by a passkey.
 *
 * @param options `options` of Latchkey's answer
 * @param mediation "conditional" offers passkeys in the autofill of an input with `autocomplete="username webauthn"`
 * @throws DOMException: `NotAllowedError` if the person cancels, `AbortError` after `signal` or a newer request
 */
export async function getPasskey(
  options: object,
  signal?: AbortSignal,
  mediation: CredentialMediationRequirement = "optional",
): Promise<PasskeyAnswer> {
  const json = options as PublicKeyCredentialRequestOptionsJSON;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON
    ? PublicKeyCredential.parseRequestOptionsFromJSON(json)
    : (withBytes(json) as unknown as PublicKeyCredentialRequestOptions);
  return alone(signal, (signal) => navigator.credentials.get({ publicKey, mediation, signal }));
}

/**
 * Creates a passkey.
 *
 * @throws DOMException as `getPasskey`, and `InvalidStateError` if the device has a passkey of this account already
 */
export async function createPasskey(options: object, signal?: AbortSignal): Promise<PasskeyAnswer> {
  const json = options as PublicKeyCredentialCreationOptionsJSON;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON
    ? PublicKeyCredential.parseCreationOptionsFromJSON(json)
    : (withBytes(json) as unknown as PublicKeyCredentialCreationOptions);
  return alone(signal, (signal) => navigator.credentials.create({ publicKey, signal }));
}

/** Aborts the request that is open, if any: a form with autofill of passkeys was left. */
export const abortPasskey = (): void => open?.abort();

async function alone(
  signal: AbortSignal | undefined,
  ask: (signal: AbortSignal) => Promise<Credential | null>,
): Promise<PasskeyAnswer> {
  abortPasskey();
  const controller = (open = new AbortController());
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  try {
    return toJSON((await ask(controller.signal)) as PublicKeyCredential);
  } finally {
    signal?.removeEventListener("abort", abort);
    if (open === controller) open = undefined;
  }
}

/** Returns the options with bytes in place of base64url: for browsers without `parseRequestOptionsFromJSON`. */
function withBytes(options: Record<string, any>): Record<string, unknown> {
  const list = (credentials: { id: string }[] = []) => credentials.map((one) => ({ ...one, id: toBytes(one.id) }));
  return {
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: toBytes(options.user.id) } }),
    allowCredentials: list(options.allowCredentials),
    excludeCredentials: list(options.excludeCredentials),
  };
}

/** Returns a credential as JSON; some browsers and password managers have no `toJSON`. */
function toJSON(credential: PublicKeyCredential): PasskeyAnswer {
  if (typeof credential.toJSON === "function") return credential.toJSON() as unknown as PasskeyAnswer;
  const { response } = credential;
  const members = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const bytes = members
    .map((name) => [name, (response as unknown as Record<string, ArrayBuffer | null>)[name]] as const)
    .filter(([, value]) => value)
    .map(([name, value]) => [name, toBase64url(value as ArrayBuffer)]);
  const transports = (response as AuthenticatorAttestationResponse).getTransports?.();
  return {
    id: credential.id,
    rawId: credential.id,
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { ...Object.fromEntries(bytes), ...(transports && { transports }) },
  };
}

const toBytes = (text: string) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

const toBase64url = (bytes: ArrayBuffer) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=/g, "");
