export type { components, paths } from "./api.js";
export {
  Client,
  type ClientOptions,
  createClient,
  type EnrolmentResult,
  type Proof,
  type SignInResult,
} from "./client.js";
export { ApiError, NetworkError, type Problem } from "./errors.js";
export { abortPasskey, passkeySupport } from "./passkeys.js";
export type { Session } from "./state.js";
export { localStorageAdapter, memoryStorage, type StorageAdapter } from "./storage.js";
export type { Claims } from "./token.js";
