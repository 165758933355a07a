"""Step-up challenge at the verify endpoint: a reverse proxy asks for a level or an age of authentication (RFC 9470)."""

import re
from typing import NamedTuple

from latchkey.core import clock
from latchkey.core.exceptions import InsufficientAuthentication
from latchkey.tokens.authentication_methods import LEVELS, Authentication, Proof, acr

ACR, MAX_AGE = re.compile("aal1|aal2|phr"), re.compile("[0-9]{1,9}")
HIGHEST_MAX_AGE = 10**9 - 1


class Requirement(NamedTuple):
    """What a request to verify asks for: a level out of LEVELS or "", and a maximum age in seconds or None."""

    acr: str = ""
    max_age: int | None = None

    def check(self, authentication: Authentication) -> None:
        """Raise InsufficientAuthentication, with what is asked for, where the session has proved less or long ago."""
        age = clock.now().timestamp() - authentication.authenticated_at
        is_recent = self.max_age is None or age < self.max_age + 1  # the time of authentication is in whole seconds
        if is_recent and (not self.acr or _level(acr(Proof(authentication.proof))) >= _level(self.acr)):
            return
        asked = [f'acr_values="{self.acr}"'] if self.acr else []
        asked += [] if self.max_age is None else [f'max_age="{self.max_age}"']
        challenge = ", ".join(
            ['Bearer error="insufficient_user_authentication"', f'error_description="{DESCRIPTION}"', *asked]
        )
        raise InsufficientAuthentication(headers={"WWW-Authenticate": challenge})


DESCRIPTION = "A different authentication level is required"
NOTHING = Requirement()


def parse_requirement(query: dict[str, str]) -> Requirement:
    """Return the requirement of validated query parameters."""
    max_age = query.get("max_age")
    return Requirement(query.get("acr", ""), None if max_age is None else int(max_age))


def _level(name: str) -> int:
    return LEVELS.index(name)
