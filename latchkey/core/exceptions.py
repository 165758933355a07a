"""API errors: the closed list of everything that a client can receive instead of an answer (RFC 9457).

Each class has the HTTP status, the code that clients branch on (stable) and the sentences for people. Use cases raise
them without knowing HTTP; `web/problems.py` turns them into problem documents; docs/errors.md explains each.

ApiError
|- 400  BadRequest, InvalidInput, ParseError, DuplicateKey, EmailTaken, PasswordTooShort, PasswordTooLong,
|       PasswordTooCommon, PasswordTooObvious, WrongPassword, InvalidCode, InvalidFactorCode, InvalidTicket, TotpExists,
|       NoSecondFactor, InvalidPasskey
|- 401  NotAuthenticated, InvalidToken, InvalidCredentials, InvalidRefreshToken, InvalidClient,
|       InsufficientAuthentication
|- 403  PermissionDenied, CsrfFailed, RegistrationClosed, EmailNotVerified, LastSuperuser, SecondFactorRequired,
|       EnrolmentRequired, StepUpRequired, EnrolmentClosed, RecoveryUnavailable, InsufficientScope, MissingRole,
|       OriginNotAllowed
|- 404  NotFound
|- 405  MethodNotAllowed   406  NotAcceptable   408  RequestTimeout   413  ContentTooLarge
|- 415  UnsupportedMediaType   422  IdempotencyKeyReused
`- 429  TooManyAttempts   500  InternalServerError   503  ServiceUnavailable
"""

from collections.abc import Mapping
from typing import Any

from latchkey.core.access_errors import (
    CsrfFailed,
    EmailNotVerified,
    EnrolmentClosed,
    EnrolmentRequired,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidClient,
    InvalidCredentials,
    InvalidRefreshToken,
    InvalidToken,
    LastSuperuser,
    MissingRole,
    NotAuthenticated,
    OriginNotAllowed,
    PermissionDenied,
    RecoveryUnavailable,
    RegistrationClosed,
    SecondFactorRequired,
    StepUpRequired,
)
from latchkey.core.api_error import ApiError, FieldErrors

__all__ = [
    "PASSWORD_MAX_LENGTH",
    "UNKNOWN_HOST",
    "ApiError",
    "BadRequest",
    "ContentTooLarge",
    "CsrfFailed",
    "DuplicateKey",
    "EmailNotVerified",
    "EmailTaken",
    "EnrolmentClosed",
    "EnrolmentRequired",
    "FieldErrors",
    "IdempotencyKeyReused",
    "InsufficientAuthentication",
    "InsufficientScope",
    "InternalServerError",
    "InvalidClient",
    "InvalidCode",
    "InvalidCredentials",
    "InvalidFactorCode",
    "InvalidInput",
    "InvalidPasskey",
    "InvalidRefreshToken",
    "InvalidTicket",
    "InvalidToken",
    "LastSuperuser",
    "MethodNotAllowed",
    "MissingRole",
    "NoSecondFactor",
    "NotAcceptable",
    "NotAuthenticated",
    "NotFound",
    "OriginNotAllowed",
    "ParseError",
    "PasswordTooCommon",
    "PasswordTooLong",
    "PasswordTooObvious",
    "PasswordTooShort",
    "PermissionDenied",
    "RecoveryUnavailable",
    "RegistrationClosed",
    "RequestTimeout",
    "SecondFactorRequired",
    "ServiceUnavailable",
    "StepUpRequired",
    "TooManyAttempts",
    "TotpExists",
    "UnsupportedMediaType",
    "WrongPassword",
]


class NotFound(ApiError):
    """No route, or no object of this user, at this path (RFC 9110 section 15.5.5)."""

    status, code, title = 404, "not_found", "Not found"
    detail = "There is nothing at this path."


class MethodNotAllowed(ApiError):
    """A method that the path does not support; the response has `Allow` (RFC 9110 section 15.5.6)."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"
    detail = "This path does not support the method; 'Allow' lists the methods that it supports."


class NotAcceptable(ApiError):
    """An `Accept` header that allows nothing that the path can answer (RFC 9110 section 15.5.7)."""

    status, code, title = 406, "not_acceptable", "Not acceptable"
    detail = "Responses are application/json; send 'Accept: application/json'."


class RequestTimeout(ApiError):
    """A body that took longer than 10 s to arrive (RFC 9110 section 15.5.9)."""

    status, code, title = 408, "request_timeout", "Request timeout"
    detail = "The body did not arrive in time; send the request again."


class ContentTooLarge(ApiError):
    """A body over DATA_UPLOAD_MAX_MEMORY_SIZE (RFC 9110 section 15.5.14)."""

    status, code, title = 413, "content_too_large", "Content too large"
    detail = "The body is larger than 64 kB."


class UnsupportedMediaType(ApiError):
    """A body of another media type or charset, or a compressed one (RFC 9110 section 15.5.16)."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"
    detail = "Send the body as the media type in 'Accept', in UTF-8, without a content encoding."
    default_headers = {"Accept": "application/json", "Accept-Encoding": "identity"}


class TooManyAttempts(ApiError):
    """Over a limit on attempts: the password, code or token was not checked (RFC 6585 section 4)."""

    status, code, title = 429, "too_many_attempts", "Too many attempts"
    detail = "Too many attempts; this one was not checked. Wait a while before the next one."
    default_headers = {"Retry-After": "30"}


class InternalServerError(ApiError):
    """A bug of the service, logged with its traceback (RFC 9110 section 15.6.1)."""

    status, code, title = 500, "server_error", "Server error"
    detail = "An internal error occurred; it has been logged."


class ServiceUnavailable(ApiError):
    """No database, no free place for hashing or no usable signing key: temporary (RFC 9110 section 15.6.4)."""

    status, code, title = 503, "unavailable", "Unavailable"
    detail = "The service is temporarily unavailable; send the same request again shortly."
    default_headers = {"Retry-After": "1"}


class BadRequest(ApiError):
    """A request that is not valid HTTP for this service, such as an unknown Host (RFC 9110 section 15.5.1)."""

    status, code, title = 400, "bad_request", "Bad request"
    detail = "The request could not be understood."


UNKNOWN_HOST: FieldErrors = {"body": ["The 'Host' header does not name one of the hosts that this service allows."]}
"""Errors of a BadRequest whose Host is missing, repeated or unknown (RFC 9112 section 3.2); the log names the host."""


class InvalidInput(BadRequest):
    """Fields that are missing, of the wrong type or malformed; `errors` has sentences for each."""

    code, title = "invalid", "Invalid input"
    detail = "Some fields are missing or invalid; 'errors' names them."


class ParseError(BadRequest):
    """A body that is not one JSON object (RFC 8259) or, where the endpoint takes one, a form."""

    code, title = "parse_error", "Malformed body"
    detail = "The body must be one JSON object in UTF-8, or a form if the endpoint takes a form."


class DuplicateKey(BadRequest):
    """A JSON object with a key twice, of which two parsers may read different ones (RFC 8259 section 4)."""

    code, title = "duplicate_key", "Duplicate key"
    detail = "The JSON object has a key more than once."


class EmailTaken(BadRequest):
    """An account with this e-mail address exists, in this spelling or in another one."""

    code, title, default_field = "email_taken", "E-mail taken", "email"
    detail = "An account with this e-mail address exists already."


class PasswordTooShort(BadRequest):
    """A new password under PASSWORD_MIN_LENGTH (NIST SP 800-63B-4 section 3.1.1.2)."""

    code, title, default_field = "password_too_short", "Password too short", "password"
    detail = "The password is too short: it needs at least {} characters. Several words in a row make a good password."

    def __init__(
        self, errors: FieldErrors | None = None, headers: Mapping[str, str] | None = None, min_length: int = 8
    ) -> None:
        self.min_length, self.detail = min_length, self.detail.format(min_length)
        super().__init__(errors, headers)

    @property
    def members(self) -> dict[str, Any]:
        """The extension members, with the length that is required now."""
        return {**super().members, "min_length": self.min_length}


PASSWORD_MAX_LENGTH = 256
"""Code points of a password; longer ones are refused before anything is hashed."""


class PasswordTooLong(BadRequest):
    """A password over the maximum length, which bounds the cost of normalizing and hashing it."""

    code, title, default_field = "password_too_long", "Password too long", "password"
    detail = f"The password is longer than {PASSWORD_MAX_LENGTH} characters."


class PasswordTooCommon(BadRequest):
    """A new password that is on the blocklist (NIST SP 800-63B-4 section 3.1.1.2)."""

    code, title, default_field = "password_too_common", "Password too common", "password"
    detail = "The password is on a list of common passwords; several unrelated words in a row make a good password."


class PasswordTooObvious(BadRequest):
    """A new password made of context-specific words (NIST SP 800-63B-4 section 3.1.1.2)."""

    code, title, default_field = "password_too_obvious", "Password too obvious", "password"
    detail = "The password consists of the e-mail address, the display name or the service's name; use unrelated words."


class WrongPassword(BadRequest):
    """The current password, asked for again, is wrong.

    Not 401: the access token beside it is valid, and clients take a 401 for the end of their session.
    """

    code, title, default_field = "wrong_password", "Wrong password", "password"
    detail = "This is not the password of the account."


class InvalidCode(BadRequest):
    """A link or a code from a mail that is unknown, used, expired or invalidated: one answer for all."""

    code, title = "invalid_code", "Invalid link or code"
    detail = "The link or the code is unknown, used or expired; request a new mail."


class InvalidFactorCode(InvalidCode):
    """A one-time password or a recovery code of a second factor that is wrong or was used before.

    Not 401: the person mistyped a digit, and clients take a 401 for the end of their session.
    """

    title, default_field = "Invalid code", "code"
    detail = "The code is wrong, too old, or was used before; wait for the next one."


class InvalidTicket(BadRequest):
    """A ticket that is unknown, used, expired, tried too often, or of an account that has changed since."""

    code, title, default_field = "invalid_ticket", "Invalid ticket", "ticket"
    detail = "The ticket is unknown, used or expired; start again."


class TotpExists(BadRequest):
    """The account has an authenticator app already; only one is kept."""

    code, title = "totp_exists", "Authenticator app exists"
    detail = "The account has an authenticator app already; remove it before you add another one."


class InvalidPasskey(BadRequest):
    """An answer of an authenticator that is malformed, of another challenge, origin or account, or wrongly signed.

    One answer for all; `reason` and `user_id` are for the audit log alone.
    """

    code, title, default_field = "invalid_passkey", "Invalid passkey", "passkey"
    detail = "The passkey was not accepted; request new options, and try again or use another passkey."

    def __init__(self, reason: str = "", user_id: int | None = None) -> None:
        super().__init__()
        self.reason, self.user_id = reason, user_id


class NoSecondFactor(BadRequest):
    """Recovery codes for an account without a second factor, which would stand for nothing."""

    code, title = "no_second_factor", "No second factor"
    detail = "Recovery codes stand for a second factor: set up an authenticator app or a passkey first."


class IdempotencyKeyReused(ApiError):
    """An Idempotency-Key that was sent before with another request (draft-ietf-httpapi-idempotency-key-header 2.7)."""

    status, code, title = 422, "idempotency_key_reused", "Idempotency-Key reused"
    detail = "This Idempotency-Key was sent with another request; make a new key for each request."
