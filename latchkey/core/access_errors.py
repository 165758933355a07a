"""API errors of authentication and authorization, status 401 and 403 (RFC 6750, RFC 9110 section 15.5).

401 always means that a proof is worth nothing; 403 that it is valid, and that more or something else is needed.
"""

from collections.abc import Sequence
from typing import Any

from latchkey.core.api_error import ApiError


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
    detail = "The client credential is missing, unknown or wrong."
    default_headers = {"WWW-Authenticate": 'Basic realm="Latchkey", charset="UTF-8"'}


class OriginNotAllowed(ApiError):
    """A request to an endpoint of browsers from a page of another origin, or without the Origin header (RFC 6454)."""

    status, code, title = 403, "origin_not_allowed", "Origin not allowed"
    detail = "Send the request from a page of this service's own origin, or of one that its operator has listed."


class PermissionDenied(ApiError):
    """A valid proof, of a caller or a kind of caller that may not do this (RFC 9110 section 15.5.4).

    reason is a sentence for the developer of the client, where there is more to say.
    """

    status, code, title = 403, "permission_denied", "Permission denied"
    detail = "The caller does not have permission to do that."

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.detail = reason or self.detail


class InsufficientScope(ApiError):
    """A valid token or API key without a scope that the request needs (RFC 6750 section 3.1)."""

    status, code, title = 403, "insufficient_scope", "Insufficient scope"
    detail = "The token or the API key lacks a scope that this request needs."
    default_headers = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}

    def __init__(self, scope: str = "") -> None:
        named = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'} if scope else None
        super().__init__(headers=named)
        self.scope = scope

    @property
    def members(self) -> dict[str, Any]:
        """The extension member `scope`: the scopes that the request needs, separated by spaces."""
        return {"scope": self.scope} if self.scope else {}


class MissingRole(ApiError):
    """A person without the role that a request to verify asks for."""

    status, code, title = 403, "missing_role", "Missing role"
    detail = "The request needs a role that this account does not have."


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
