"""What every refusal is made of; latchkey.core.exceptions lists them all.

The refusals that any address may answer, whatever it is for; latchkey.core.exceptions lists them with the others.

Every refusal: its code, its status and its sentence. The one closed list; docs/errors.md explains each.

Refusal
|- 400  BadRequest, InvalidInput, ParseError, DuplicateKey,
|       EmailTaken, PasswordTooShort, PasswordTooLong, PasswordTooCommon, PasswordTooObvious,
|       WrongPassword, InvalidCode
|- 401  NotAuthenticated, InvalidToken, InvalidCredentials, InvalidRefreshToken, InvalidClient
|- 403  PermissionDenied, CsrfFailed, RegistrationClosed, EmailNotVerified, LastSuperuser       404  NotFound
|- 405  MethodNotAllowed   406  NotAcceptable   408  RequestTimeout   413  ContentTooLarge
`- 415  UnsupportedMediaType   429  TooManyAttempts   500  ServerError   503  Unavailable
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

FieldErrors: TypeAlias = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """What a client is told when it does not get what it asked for (RFC 9457)."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    detail: ClassVar[str]
    default_field: ClassVar[str] = "body"
    default_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, errors: FieldErrors | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.code)
        self.errors = errors or {self.default_field: [self.detail]}
        self.headers = {**self.default_headers, **(headers or {})}


class NotFound(ApiError):
    status, code, title = 404, "not_found", "Not found"
    detail = "There is nothing at this address."


class MethodNotAllowed(ApiError):
    status, code, title = 405, "method_not_allowed", "Method not allowed"
    detail = "This address does not answer that method; 'Allow' lists those it does."


class NotAcceptable(ApiError):
    status, code, title = 406, "not_acceptable", "Not acceptable"
    detail = "Answers are application/json; accept that."


class RequestTimeout(ApiError):
    status, code, title = 408, "request_timeout", "Request timeout"
    detail = "The body did not arrive in time; send the request again."


class ContentTooLarge(ApiError):
    status, code, title = 413, "content_too_large", "Content too large"
    detail = "The body is larger than 64 kB."


class UnsupportedMediaType(ApiError):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"
    detail = "Send the body as the type that 'Accept' names, in UTF-8, without a content encoding."
    default_headers = {"Accept": "application/json", "Accept-Encoding": "identity"}


class TooManyAttempts(ApiError):
    status, code, title = 429, "too_many_attempts", "Too many attempts"
    detail = "Too many attempts failed; nothing was checked. Try again after 'Retry-After' seconds."
    default_headers = {"Retry-After": "30"}


class InternalServerError(ApiError):
    status, code, title = 500, "server_error", "Server error"
    detail = "Something went wrong on our side; it has been logged."


class ServiceUnavailable(ApiError):
    status, code, title = 503, "unavailable", "Unavailable"
    detail = "The service cannot answer at present; try the same request again shortly."
    default_headers = {"Retry-After": "1"}


class BadRequest(ApiError):
    status, code, title = 400, "bad_request", "Bad request"
    detail = "The request could not be understood."


class InvalidInput(BadRequest):
    code, title = "invalid", "Invalid input"
    detail = "Some of the fields are missing or wrong; 'errors' names them."


class ParseError(BadRequest):
    code, title = "parse_error", "Malformed body"
    detail = "The body must be one JSON object in UTF-8, or one form where the address takes a form."


class DuplicateKey(BadRequest):
    code, title = "duplicate_key", "Duplicate key"
    detail = "A key stands more than once in the JSON object."


class EmailTaken(BadRequest):
    code, title, default_field = "email_taken", "E-mail taken", "email"
    detail = "An account with this e-mail address exists already."


class PasswordTooShort(BadRequest):
    code, title, default_field = "password_too_short", "Password too short", "password"
    detail = "The password is too short; several words in a row make a good one."


class PasswordTooLong(BadRequest):
    code, title, default_field = "password_too_long", "Password too long", "password"
    detail = "The password is longer than 256 characters."


class PasswordTooCommon(BadRequest):
    code, title, default_field = "password_too_common", "Password too common", "password"
    detail = "The password is on the list of common ones; several unrelated words in a row make a good one."


class PasswordTooObvious(BadRequest):
    code, title, default_field = "password_too_obvious", "Password too obvious", "password"
    detail = "The password is made of the e-mail address, the user name or this service's name; choose unrelated words."


class WrongPassword(BadRequest):
    """Not 401: the access token beside it is good, and clients take a 401 for the end of their session."""

    code, title, default_field = "wrong_password", "Wrong password", "password"
    detail = "This is not the password of the account."


class InvalidCode(BadRequest):
    code, title = "invalid_code", "Invalid link or code"
    detail = "The link or the code is unknown, spent or expired; ask for another mail."


class NotAuthenticated(ApiError):
    status, code, title = 401, "not_authenticated", "Not authenticated"
    detail = "Send an access token: 'Authorization: Bearer <token>'."
    default_headers = {"WWW-Authenticate": "Bearer"}


class InvalidToken(NotAuthenticated):
    code, title = "invalid_token", "Invalid access token"
    detail = "The access token is malformed, expired or no longer valid."
    default_headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class InvalidCredentials(NotAuthenticated):
    code, title = "invalid_credentials", "Invalid credentials"
    detail = "No active account matches this e-mail address and password."


class InvalidRefreshToken(NotAuthenticated):
    code, title = "invalid_refresh_token", "Invalid refresh token"
    detail = "The refresh token is unknown, spent, expired or revoked; sign in again."


class InvalidClient(NotAuthenticated):
    code, title = "invalid_client", "Invalid service credential"
    detail = "Send the name and the secret of a service by HTTP Basic authentication."
    default_headers = {"WWW-Authenticate": 'Basic realm="Latchkey", charset="UTF-8"'}


class PermissionDenied(ApiError):
    status, code, title = 403, "permission_denied", "Permission denied"
    detail = "This account may not do that."


class CsrfFailed(ApiError):
    status, code, title = 403, "csrf_failed", "Cross-site check failed"
    detail = "The form was not sent from our own page, or the page is too old; load it again."


class LastSuperuser(ApiError):
    status, code, title = 403, "last_superuser", "Last superuser"
    detail = "This is the last active superuser; make somebody else one first."


class RegistrationClosed(ApiError):
    status, code, title = 403, "registration_closed", "Registration closed"
    detail = "New accounts cannot be registered at present."


class EmailNotVerified(ApiError):
    status, code, title = 403, "email_not_verified", "E-mail not verified"
    detail = "Confirm your e-mail address first: a mail with a link and a code was sent to it."
