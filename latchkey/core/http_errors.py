"""The refusals that any address may answer, whatever it is for; latchkey.core.errors lists them with the others."""

from latchkey.core.refusal import Refusal


class NotFound(Refusal):
    status, code, title = 404, "not_found", "Not found"
    detail = "There is nothing at this address."


class MethodNotAllowed(Refusal):
    status, code, title = 405, "method_not_allowed", "Method not allowed"
    detail = "This address does not answer that method; 'Allow' lists those it does."


class NotAcceptable(Refusal):
    status, code, title = 406, "not_acceptable", "Not acceptable"
    detail = "Answers are application/json; accept that."


class RequestTimeout(Refusal):
    status, code, title = 408, "request_timeout", "Request timeout"
    detail = "The body did not arrive in time; send the request again."


class ContentTooLarge(Refusal):
    status, code, title = 413, "content_too_large", "Content too large"
    detail = "The body is larger than 64 kB."


class UnsupportedMediaType(Refusal):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"
    detail = "Send the body as the type that 'Accept' names, in UTF-8, without a content encoding."
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}


class TooManyAttempts(Refusal):
    status, code, title = 429, "too_many_attempts", "Too many attempts"
    detail = "Too many attempts failed; nothing was checked. Try again after 'Retry-After' seconds."
    headers = {"Retry-After": "30"}


class ServerError(Refusal):
    status, code, title = 500, "server_error", "Server error"
    detail = "Something went wrong on our side; it has been logged."


class Unavailable(Refusal):
    status, code, title = 503, "unavailable", "Unavailable"
    detail = "The service cannot answer at present; try the same request again shortly."
    headers = {"Retry-After": "1"}
