"""Requirement: what a token has to be good for, such as a role, scopes, or a recent second factor (RFC 9470)."""

import re
from dataclasses import dataclass
from typing import TypedDict

from latchkey_client.claims import Claims
from latchkey_client.errors import InsufficientScope, MissingRole, SessionRequired, StepUpRequired

LEVELS = ("aal1", "aal2", "phr")
"""Values of `acr`, the lowest first: NIST's authenticator assurance levels 1 and 2, and a passkey that verified its
user (OpenID Connect Extended Authentication Profile ACR Values 1.0)."""

_NAMES = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}(?: [a-z0-9][a-z0-9_.:-]{0,63})*")


class RequirementOptions(TypedDict, total=False):
    """Keyword arguments of verify and require: the fields of a Requirement, each of which may be left out."""

    role: str
    scope: str
    acr: str
    max_age: int | None
    session: bool | None


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a route asks of a token. Build it once, when the application starts: a misspelt value is a ValueError.

    role is one role of a user. scope has all scopes that are needed, separated by spaces. acr is one of LEVELS, and a
    higher level fulfils it. max_age is in seconds since the last authentication.

    session says whether only a user who is signed in is accepted. By default that is so unless a scope is asked for,
    because an application or an API key may be made for one purpose; False accepts every valid token.
    """

    role: str = ""
    scope: str = ""
    acr: str = ""
    max_age: int | None = None
    session: bool | None = None

    def __post_init__(self) -> None:
        if self.role and (" " in self.role or not _NAMES.fullmatch(self.role)):
            raise ValueError(f"not the name of a role: {self.role!r}")
        if self.scope and not _NAMES.fullmatch(self.scope):
            raise ValueError(f"not names of scopes, separated by single spaces: {self.scope!r}")
        if self.acr and self.acr not in LEVELS:
            raise ValueError(f"acr is one of {', '.join(LEVELS)}, not {self.acr!r}")
        if self.max_age is not None and self.max_age < 0:
            raise ValueError("max_age is a number of seconds")
        if self.session is False and self.needs_session:
            raise ValueError("role, acr and max_age are of sessions: session=False contradicts them")

    @property
    def needs_session(self) -> bool:
        """Whether a user has to be signed in: applications and API keys have no roles, and cannot step up."""
        return bool(self.role or self.acr) or self.max_age is not None

    def check(self, claims: Claims, now: float) -> None:
        """Raise what a valid token falls short of; what no new sign-in can change comes first. now is Unix time.

        SessionRequired, MissingRole, InsufficientScope or StepUpRequired.
        """
        session = not self.scope if self.session is None else self.session
        if (session or self.needs_session) and not claims.is_session:
            raise SessionRequired
        if self.role and self.role not in claims.roles:
            raise MissingRole(self.role)
        if not claims.scopes.issuperset(self.scope.split()):
            raise InsufficientScope(self.scope)
        if self._is_level_too_low(claims) or self._is_too_long_ago(claims, now):
            raise StepUpRequired(self.acr, self.max_age)

    def _is_level_too_low(self, claims: Claims) -> bool:
        if not self.acr:
            return False
        return claims.acr not in LEVELS or LEVELS.index(claims.acr) < LEVELS.index(self.acr)

    def _is_too_long_ago(self, claims: Claims, now: float) -> bool:
        if self.max_age is None:
            return False
        return claims.auth_time is None or now - claims.auth_time >= self.max_age + 1  # auth_time is in whole seconds
