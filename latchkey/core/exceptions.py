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
|       EnrolmentRequired, StepUpRequired, EnrolmentClosed, RecoveryUnavailable       404  NotFound
|- 405  MethodNotAllowed   406  NotAcceptable   408  RequestTimeout   413  ContentTooLarge
`- 415  UnsupportedMediaType   429  TooManyAttempts   500  InternalServerError   503  ServiceUnavailable
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

FieldErrors: TypeAlias = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """Base class of the API errors: one problem document (RFC 9457 section 3.1).

    `errors` are sentences by field, sent with status 400 only; without them the detail stands under `default_field`.
    `headers` are response headers, added to the `default_headers` of the class. `members` are extension members of the
    problem document (RFC 9457 section 3.2), for what clients would otherwise read out of a sentence or a header.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    detail: str
    default_field: ClassVar[str] = "body"
    default_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, errors: FieldErrors | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.code)
        self.errors = errors or {self.default_field: [self.detail]}
        self.headers = {**self.default_headers, **(headers or {})}

    @property
    def members(self) -> dict[str, Any]:
        """The extension members: `retry_after`, the seconds of a `Retry-After`, which not every script can read."""
        return {"retry_after": int(self.headers["Retry-After"])} if "Retry-After" in self.headers else {}


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
    detail = "Too many attempts; this one was not checked. Try again after 'Retry-After' seconds."
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


class NotAuthenticated(ApiError):
    """No access token was sent (RFC 6750 section 3)."""

    status, code, title = 401, "not_authenticated", "Not authenticated"
    detail = "Send an access token: 'Authorization: Bearer <token>'."
    default_headers = {"WWW-Authenticate": "Bearer"}


class InvalidToken(NotAuthenticated):
    """An access token that is malformed, expired or of an ended session (RFC 6750 section 3.1)."""

    code, title = "invalid_token", "Invalid access token"
    detail = "The access token is malformed, expired or no longer valid."
    default_headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class InvalidCredentials(NotAuthenticated):
    """A failed sign-in: unknown address, wrong password and inactive account have one answer."""

    code, title = "invalid_credentials", "Invalid credentials"
    detail = "No active account matches this e-mail address and password."


class InvalidRefreshToken(NotAuthenticated):
    """A refresh token that is unknown, used, expired or revoked: one answer for all (RFC 6749 section 5.2)."""

    code, title = "invalid_refresh_token", "Invalid refresh token"
    detail = "The refresh token is unknown, used, expired or revoked; sign in again."


class InsufficientAuthentication(NotAuthenticated):
    """A session that proved less, or longer ago, than the request to verify asks for (RFC 9470 section 3)."""

    code, title = "insufficient_user_authentication", "Insufficient authentication"
    detail = "Authenticate again, or with more: POST /api/step-up/, then send the new access token."
    default_headers = {"WWW-Authenticate": 'Bearer error="insufficient_user_authentication"'}


class InvalidClient(NotAuthenticated):
    """No client credential, or a wrong one (RFC 6749 section 5.2)."""

    code, title = "invalid_client", "Invalid client credential"
    detail = "Send a client credential, the name and the secret of a service, by HTTP Basic authentication."
    default_headers = {"WWW-Authenticate": 'Basic realm="Latchkey", charset="UTF-8"'}


class PermissionDenied(ApiError):
    """A signed-in user without the permission (RFC 9110 section 15.5.4)."""

    status, code, title = 403, "permission_denied", "Permission denied"
    detail = "This account does not have permission to do that."


class CsrfFailed(ApiError):
    """A form without a valid CSRF token."""

    status, code, title = 403, "csrf_failed", "CSRF check failed"
    detail = "The form was not sent by this site's own page, or the page is too old; reload the page."


class LastSuperuser(ApiError):
    """The last active superuser cannot be deleted, deactivated or demoted: nobody could administer the service."""

    status, code, title = 403, "last_superuser", "Last superuser"
    detail = "This is the last active superuser; make another user a superuser first."


class RegistrationClosed(ApiError):
    """REGISTRATION_OPEN is off."""

    status, code, title = 403, "registration_closed", "Registration closed"
    detail = "Registration of new accounts is closed."


class EmailNotVerified(ApiError):
    """The right password of an unverified address while EMAIL_VERIFICATION is 'required'."""

    status, code, title = 403, "email_not_verified", "E-mail not verified"
    detail = "Verify your e-mail address first: a mail with a link and a code was sent to it."


class EnrolmentClosed(ApiError):
    """SECOND_FACTOR is off: nobody can set up a second factor; those in use stay in force."""

    status, code, title = 403, "enrolment_closed", "Enrolment closed"
    detail = "Setting up second factors is switched off."


class SecondFactorRequired(ApiError):
    """The first proof of an account that has to give a second factor, or has to set one up.

    403 as for an unverified address: 200 stays the answer with the pair of tokens, and a 401 would have clients refresh
    or sign out (allauth#3875).
    """

    status, code, title = 403, "second_factor_required", "Second factor required"
    detail = "Prove a second factor: POST /api/login/second-factor/ with this ticket."

    def __init__(self, ticket: str = "", factors: Sequence[str] = (), expires_in: int = 300) -> None:
        super().__init__()
        self.ticket, self.factors, self.expires_in = ticket, [*factors], expires_in

    @property
    def members(self) -> dict[str, Any]:
        """The extension members: the ticket, the factors that the account has, and the seconds that it lives."""
        return {"ticket": self.ticket, "factors": self.factors, "expires_in": self.expires_in}


class EnrolmentRequired(SecondFactorRequired):
    """The right password of an account without a second factor, while the policy requires one."""

    title = "Second factor to set up"
    detail = "Set up a second factor first: POST /api/login/enrolment/totp/ or passkey/ with this ticket."

    @property
    def members(self) -> dict[str, Any]:
        """The extension members, with `enrol`: there is no factor to ask for."""
        return {**super().members, "enrol": True}


class RecoveryUnavailable(ApiError):
    """RECOVERY_DELAY is off, the address was never verified (the mailbox may be a stranger's), or the user is staff."""

    status, code, title = 403, "recovery_unavailable", "Recovery unavailable"
    detail = "The second factors of this account cannot be removed by mail; ask the operator of the service."


class StepUpRequired(ApiError):
    """A sensitive change by a session whose authentication is too weak or too long ago (compare RFC 9470)."""

    status, code, title = 403, "step_up_required", "Step-up required"
    detail = "Authenticate again: POST /api/step-up/ with one of 'factors', then send the request again."

    def __init__(self, factors: Sequence[str] = (), max_age: int = 600) -> None:
        super().__init__()
        self.factors, self.max_age = [*factors], max_age

    @property
    def members(self) -> dict[str, Any]:
        """The extension members: what the account can prove, and for how many seconds it counts."""
        return {"factors": self.factors, "max_age": self.max_age}
