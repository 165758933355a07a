"""Step-up challenge at the verify endpoint: a reverse proxy asks for a level or an age of authentication (RFC 9470)."""

from latchkey.core import clock
from latchkey.core.exceptions import InsufficientAuthentication
from latchkey.tokens.authentication_methods import LEVELS, Authentication, Proof, acr

HIGHEST_MAX_AGE = 10**9 - 1
DESCRIPTION = "A different authentication level is required"


def check_authentication(authentication: Authentication, level: str, max_age: int | None) -> None:
    """Raise InsufficientAuthentication, with what is asked for, where the session has proved less or long ago.

    level is one of LEVELS or "", max_age the seconds since the last authentication at most, or None.
    """
    age = clock.now().timestamp() - authentication.authenticated_at
    is_recent = max_age is None or age < max_age + 1  # the time of authentication is in whole seconds
    if is_recent and (not level or LEVELS.index(acr(Proof(authentication.proof))) >= LEVELS.index(level)):
        return
    asked = [f'acr_values="{level}"'] if level else []
    asked += [] if max_age is None else [f'max_age="{max_age}"']
    challenge = ", ".join(
        ['Bearer error="insufficient_user_authentication"', f'error_description="{DESCRIPTION}"', *asked]
    )
    raise InsufficientAuthentication(headers={"WWW-Authenticate": challenge})
