/** The client of Latchkey, and a request function for JSON APIs. The only module that knows where Latchkey is. */
import { ApiError, createClient, NetworkError } from "/latchkey-client/index.js";
import { LATCHKEY_URL } from "/config.js";

export { LATCHKEY_URL };

/** The refresh token is an HttpOnly cookie (docs/browser-sessions.md); the access token is in memory. */
export const client = createClient({ url: LATCHKEY_URL, browserSession: true });

/**
 * Sends a JSON request with the access token, and returns the parsed body; null for 204.
 *
 * @param {string} url a path of the notes service, or an address below LATCHKEY_URL
 * @param {{method?: string, body?: object}} options
 * @throws ApiError for an error status, NetworkError without an answer
 */
export async function request(url, { method = "GET", body } = {}) {
  const headers = { Accept: "application/json", ...(body && { "Content-Type": "application/json" }) };
  let response;
  try {
    response = await client.fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  } catch (error) {
    throw error instanceof TypeError ? new NetworkError("No answer.", { cause: error }) : error;
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer);
  return answer;
}

/** Sends a request to Latchkey: `latchkey("/api/sessions/")`. */
export const latchkey = (path, options) => request(LATCHKEY_URL + path, options);
