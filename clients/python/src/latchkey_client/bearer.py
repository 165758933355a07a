"""Bearer token of a request (RFC 6750 section 2.1), and the base class of what validates it."""

import re
from abc import ABC, abstractmethod
from typing import Protocol, Unpack

from latchkey_client.claims import Claims
from latchkey_client.errors import InvalidToken, MissingToken
from latchkey_client.requirement import Requirement, RequirementOptions

MAX_LENGTH = 8_192
"""Characters of a token; Latchkey's own have 4,096 at most."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class Clock(Protocol):
    """Clock of this machine; the module `time` is one. Tests pass another."""

    def time(self) -> float:
        """Return Unix time, in seconds."""

    def monotonic(self) -> float:
        """Return seconds that are not set back when the clock is."""


class TokenVerifier(ABC):
    """Base class of Verifier and Introspection, which the helpers for web frameworks accept."""

    clock: Clock

    @abstractmethod
    def authenticate(self, token: str) -> Claims:
        """Return the claims of any valid token, of every kind of owner; raises InvalidToken or LatchkeyUnavailable."""

    @abstractmethod
    async def aauthenticate(self, token: str) -> Claims:
        """Do the same without blocking the event loop."""

    def verify(self, token: str, **requirement: Unpack[RequirementOptions]) -> Claims:
        """Return the claims of a valid token that fulfils the requirement (see Requirement for its fields).

        Raises InvalidToken, SessionRequired, MissingRole, InsufficientScope, StepUpRequired or LatchkeyUnavailable.
        """
        return self.check(token, Requirement(**requirement))

    async def averify(self, token: str, **requirement: Unpack[RequirementOptions]) -> Claims:
        """Do the same as verify without blocking the event loop."""
        return await self.acheck(token, Requirement(**requirement))

    def check(self, token: str, requirement: Requirement) -> Claims:
        """Do the same as verify, for a requirement that was built before."""
        claims = self.authenticate(token)
        requirement.check(claims, self.clock.time())
        return claims

    async def acheck(self, token: str, requirement: Requirement) -> Claims:
        """Do the same as check without blocking the event loop."""
        claims = await self.aauthenticate(token)
        requirement.check(claims, self.clock.time())
        return claims


def read_token(authorization: str | None) -> str:
    """Return the token in the value of an Authorization header.

    Raises MissingToken for no header, another scheme or no token, and InvalidToken for characters that no token has.
    """
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise MissingToken
    return check_form(token.strip())


def check_form(token: str) -> str:
    """Return a text that may be a token; raises InvalidToken for one that is too long or has other characters."""
    if len(token) > MAX_LENGTH or not _TOKEN.fullmatch(token):
        raise InvalidToken
    return token
