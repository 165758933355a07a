import type { components } from "./api.js";

/** Problem details for HTTP APIs (RFC 9457), the body of every error of Latchkey. */
export type Problem = components["schemas"]["Problem"];

/** A response with an error status. Branch on `code`, whose meaning is stable; docs/errors.md lists all codes. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The code of the error, such as `invalid_credentials`; `unknown` if the body is not a problem document. */
  readonly code: string;
  /** A sentence for people. */
  readonly detail: string;
  /** Sentences by field, for forms; with status 400 only. */
  readonly errors: Record<string, string[]>;
  /** Seconds to wait; with status 429 and 503 only. */
  readonly retryAfter: number | undefined;

  /**
   * @param status the HTTP status
   * @param body the parsed body, with the further members of some codes, such as `min_length` and `factors`
   */
  constructor(
    readonly status: number,
    readonly body: Partial<Problem> & Record<string, unknown>,
  ) {
    super(body.detail ?? `HTTP status ${status}`);
    this.code = body.code ?? "unknown";
    this.detail = this.message;
    this.errors = (body.errors ?? {}) as Record<string, string[]>;
    this.retryAfter = body.retry_after;
  }
}

/** No usable response: offline, a broken connection, a timeout, or a body that is not JSON. Nothing is known. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
}
