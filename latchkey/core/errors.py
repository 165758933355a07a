"""Every refusal: its code, its status and its sentence. The one closed list; docs/errors.md explains each.

Refusal
|- 400  BadRequest, InvalidInput, ParseError, DuplicateKey,
|       EmailTaken, PasswordTooShort, PasswordTooLong, PasswordTooCommon, PasswordTooObvious,
|       WrongPassword, InvalidCode
|- 401  NotAuthenticated, InvalidToken, InvalidCredentials, InvalidRefreshToken, InvalidClient
|- 403  PermissionDenied, CsrfFailed, RegistrationClosed, EmailNotVerified, LastSuperuser       404  NotFound
|- 405  MethodNotAllowed   406  NotAcceptable   408  RequestTimeout   413  ContentTooLarge
`- 415  UnsupportedMediaType   429  TooManyAttempts   500  ServerError   503  Unavailable
"""

from latchkey.core.http_errors import (
    ContentTooLarge,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    RequestTimeout,
    ServerError,
    TooManyAttempts,
    Unavailable,
    UnsupportedMediaType,
)
from latchkey.core.refusal import FieldErrors, Refusal

__all__ = [  # besides all that is listed below
    "ContentTooLarge",
    "FieldErrors",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "Refusal",
    "RequestTimeout",
    "ServerError",
    "TooManyAttempts",
    "Unavailable",
    "UnsupportedMediaType",
]


class BadRequest(Refusal):
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
    code, title, field = "email_taken", "E-mail taken", "email"
    detail = "An account with this e-mail address exists already."


class PasswordTooShort(BadRequest):
    code, title, field = "password_too_short", "Password too short", "password"
    detail = "The password is too short; several words in a row make a good one."


class PasswordTooLong(BadRequest):
    code, title, field = "password_too_long", "Password too long", "password"
    detail = "The password is longer than 256 characters."


class PasswordTooCommon(BadRequest):
    code, title, field = "password_too_common", "Password too common", "password"
    detail = "The password is on the list of common ones; several unrelated words in a row make a good one."


class PasswordTooObvious(BadRequest):
    code, title, field = "password_too_obvious", "Password too obvious", "password"
    detail = "The password is made of the e-mail address, the user name or this service's name; choose unrelated words."


class WrongPassword(BadRequest):
    """Not 401: the access token beside it is good, and clients take a 401 for the end of their session."""

    code, title, field = "wrong_password", "Wrong password", "password"
    detail = "This is not the password of the account."


class InvalidCode(BadRequest):
    code, title = "invalid_code", "Invalid link or code"
    detail = "The link or the code is unknown, spent or expired; ask for another mail."


class NotAuthenticated(Refusal):
    status, code, title = 401, "not_authenticated", "Not authenticated"
    detail = "Send an access token: 'Authorization: Bearer <token>'."
    headers = {"WWW-Authenticate": "Bearer"}


class InvalidToken(NotAuthenticated):
    code, title = "invalid_token", "Invalid access token"
    detail = "The access token is malformed, expired or no longer valid."
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class InvalidCredentials(NotAuthenticated):
    code, title = "invalid_credentials", "Invalid credentials"
    detail = "No active account matches this e-mail address and password."


class InvalidRefreshToken(NotAuthenticated):
    code, title = "invalid_refresh_token", "Invalid refresh token"
    detail = "The refresh token is unknown, spent, expired or revoked; sign in again."


class InvalidClient(NotAuthenticated):
    code, title = "invalid_client", "Invalid service credential"
    detail = "Send the name and the secret of a service by HTTP Basic authentication."
    headers = {"WWW-Authenticate": 'Basic realm="Latchkey", charset="UTF-8"'}


class PermissionDenied(Refusal):
    status, code, title = 403, "permission_denied", "Permission denied"
    detail = "This account may not do that."


class CsrfFailed(Refusal):
    status, code, title = 403, "csrf_failed", "Cross-site check failed"
    detail = "The form was not sent from our own page, or the page is too old; load it again."


class LastSuperuser(Refusal):
    status, code, title = 403, "last_superuser", "Last superuser"
    detail = "This is the last active superuser; make somebody else one first."


class RegistrationClosed(Refusal):
    status, code, title = 403, "registration_closed", "Registration closed"
    detail = "New accounts cannot be registered at present."


class EmailNotVerified(Refusal):
    status, code, title = 403, "email_not_verified", "E-mail not verified"
    detail = "Confirm your e-mail address first: a mail with a link and a code was sent to it."
