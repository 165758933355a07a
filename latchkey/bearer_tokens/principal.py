"""Principal: who a bearer token belongs to, and what it may be used for at this moment."""

from dataclasses import dataclass, field
from functools import cached_property

from latchkey.api_keys.verification import KeyUser, VerifiedKey
from latchkey.authorization.scopes import scopes_of_roles
from latchkey.authorization.token_claims import roles_of
from latchkey.core.exceptions import InsufficientScope, MissingRole
from latchkey.sessions.sql import SessionUser
from latchkey.tokens.access_token import AUDIENCE, AccessToken, ClientAccessToken
from latchkey.tokens.authentication_methods import Authentication
from latchkey.web.access import Caller


@dataclass(frozen=True)
class Principal:
    """The owner of a valid bearer token: a person (user) or an application (client_id).

    A session has its person's roles, and the scopes of those. Applications and API keys have scopes alone, no wider
    than what the application, or the person, has now: so a key never does what its owner cannot, and a key for one
    purpose has no role that opens others.
    """

    caller: Caller
    user: SessionUser | KeyUser | None = None
    client_id: str = ""
    token: AccessToken | ClientAccessToken | None = None
    key: VerifiedKey | None = None
    granted: frozenset[str] | None = field(default=None)

    @cached_property
    def roles(self) -> list[str]:
        """The names of a signed-in person's roles, sorted; none for a key or an application."""
        return roles_of(self.user.token_claims) if isinstance(self.user, SessionUser) else []

    @cached_property
    def scopes(self) -> frozenset[str]:
        """The scopes: those of the token or the key; for a session those of the roles, one SELECT if there are any."""
        return scopes_of_roles(self.roles) if self.granted is None else self.granted

    @property
    def owner(self) -> str:
        """The name of the application or the person, whichever token or key it has used: no two have the same."""
        return f"application:{self.client_id}" if self.user is None else f"person:{self.user.id}"

    @property
    def audience(self) -> tuple[str, ...]:
        """The audiences of the token; a key has that of this service."""
        return self.token.audience if isinstance(self.token, ClientAccessToken) else (AUDIENCE,)

    @property
    def authentication(self) -> Authentication:
        """What the session has proved, and when; nothing for a key or an application."""
        user = self.user
        return (
            Authentication(user.proof, user.authenticated_at) if isinstance(user, SessionUser) else Authentication(0, 0)
        )

    def has_scope(self, scope: str) -> bool:
        """Return whether it has this scope."""
        return scope in self.scopes

    def require(self, role: str = "", scopes: frozenset[str] = frozenset()) -> None:
        """Raise MissingRole without the role, InsufficientScope without one of the scopes."""
        if role and role not in self.roles:
            raise MissingRole
        if scopes and not scopes <= self.scopes:  # without any asked for, those of a session are not looked up
            raise InsufficientScope(" ".join(sorted(scopes)))
