"""Exceptions of the package, each with the HTTP status and the WWW-Authenticate header of its response.

A service that catches `LatchkeyError` can answer every one of them with `status` and `headers` (RFC 6750 section 3).
`OAuthError` is apart: it means that this service itself is configured wrongly, and must not be shown to a client.
"""

from typing import ClassVar


class LatchkeyError(Exception):
    """Base class of errors that a service answers its client with.

    `status` is the HTTP status, `code` a stable word for programs, `str(error)` a sentence without secrets.
    """

    status: ClassVar[int]
    code: ClassVar[str]

    @property
    def www_authenticate(self) -> str:
        """Value of the WWW-Authenticate header; empty if the response has none."""
        return _challenge(self.code, str(self))

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the response: WWW-Authenticate for 401 and 403, Retry-After for 503."""
        return {"WWW-Authenticate": self.www_authenticate}


class MissingToken(LatchkeyError):
    """No access token in the request. The challenge has no error code (RFC 6750 section 3.1)."""

    status, code = 401, "not_authenticated"

    def __init__(self) -> None:
        super().__init__("Send an access token in the Authorization header")

    @property
    def www_authenticate(self) -> str:
        return "Bearer"


class InvalidToken(LatchkeyError):
    """An access token that is malformed, expired, of another issuer or audience, or no longer active."""

    status, code = 401, "invalid_token"

    def __init__(self, reason: str = "The access token is invalid") -> None:
        super().__init__(reason)


class StepUpRequired(LatchkeyError):
    """A session that has proved less than `acr`, or longer ago than `max_age` seconds (RFC 9470 section 3)."""

    status, code = 401, "insufficient_user_authentication"

    def __init__(self, acr: str = "", max_age: int | None = None) -> None:
        super().__init__("A different authentication level is required")
        self.acr, self.max_age = acr, max_age

    @property
    def www_authenticate(self) -> str:
        asked = {"acr_values": self.acr} if self.acr else {}
        return _challenge(self.code, str(self), **asked, **({} if self.max_age is None else {"max_age": self.max_age}))


class InsufficientScope(LatchkeyError):
    """A valid token that lacks one of the scopes in `scope`, separated by spaces (RFC 6750 section 3.1)."""

    status, code = 403, "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__("The access token lacks a scope")
        self.scope = scope

    @property
    def www_authenticate(self) -> str:
        return _challenge(self.code, str(self), scope=self.scope)


class MissingRole(LatchkeyError):
    """A signed-in user without the role. The challenge says that more privileges are needed (RFC 6750 section 3.1)."""

    status, code = 403, "missing_role"

    def __init__(self, role: str) -> None:
        super().__init__(f"The role {role} is required")
        self.role = role

    @property
    def www_authenticate(self) -> str:
        return _challenge(InsufficientScope.code, str(self))


class SessionRequired(LatchkeyError):
    """The token of an application or an API key, where only a user who is signed in is accepted."""

    status, code = 403, "session_required"

    def __init__(self) -> None:
        super().__init__("Only a user who is signed in may do this")

    @property
    def www_authenticate(self) -> str:
        return _challenge(InsufficientScope.code, str(self))


class LatchkeyUnavailable(LatchkeyError):
    """No answer of Latchkey, so that a token can be neither accepted nor refused; `retry_after` is in seconds.

    Answer 503, not 401: a client that gets a 401 refreshes its token or signs its user out.
    """

    status, code = 503, "unavailable"

    def __init__(self, reason: str = "The sign-in service does not answer", retry_after: int = 1) -> None:
        super().__init__(reason)
        self.retry_after = retry_after

    @property
    def www_authenticate(self) -> str:
        return ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class OAuthError(Exception):
    """Refusal of this service's own request by Latchkey, such as `invalid_client` (RFC 6749 section 5.2).

    `error` is the code, `description` the sentence of the answer. The cause is in the configuration of this service.
    """

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(f"{error}: {description}" if description else error)
        self.error, self.description = error, description


def _challenge(error: str, description: str, **parameters: object) -> str:
    """Return a Bearer challenge; parameters are quoted strings without quotation marks (RFC 6750 section 3)."""
    named = {"error": error, "error_description": description, **parameters}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in named.items())
