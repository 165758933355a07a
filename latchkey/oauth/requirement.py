"""Requirement: what a request to the verify endpoint asks of a bearer token, in its query parameters."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from latchkey.authorization.models import NAME
from latchkey.authorization.scopes import parse_scope
from latchkey.bearer_tokens.principal import Principal
from latchkey.core.exceptions import InvalidToken, PermissionDenied
from latchkey.oauth.step_up_challenge import check_authentication
from latchkey.tokens.access_token import AUDIENCE, AccessToken, ClientAccessToken

FORMS: Mapping[str, re.Pattern[str]] = {
    "role": NAME,
    "scope": re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}(?: [a-z0-9][a-z0-9_.:-]{0,63}){0,15}"),
    "audience": re.compile(r"[!#$&-;=?-Z_a-z~]{1,255}"),
    "acr": re.compile("aal1|aal2|phr"),
    "max_age": re.compile("[0-9]{1,9}"),
}
"""Forms of the query parameters: names, 16 scopes at most, an audience in the characters of a URI (RFC 3986)."""


class Requirement(NamedTuple):
    """What a token has to be good for.

    role is one that the person of a session has to have, scopes are all needed, audience is what an application's
    token has to name (RFC 9068 section 4). acr is a level out of LEVELS or "", and max_age in seconds or None.
    """

    role: str = ""
    scopes: frozenset[str] = frozenset()
    audience: str = AUDIENCE
    acr: str = ""
    max_age: int | None = None

    def check(self, principal: Principal) -> None:
        """Raise what the owner of a valid token falls short of: what no new sign-in can change comes first.

        InvalidToken for the token of an application that names another audience. Tokens and keys of people are for this
        service, which knows no other audience of theirs. PermissionDenied for an application or a key where acr or
        max_age is asked for: nobody has authenticated, so there is no authentication to step up (RFC 9470 section 3).
        MissingRole, InsufficientScope or InsufficientAuthentication.
        """
        if isinstance(principal.token, ClientAccessToken) and self.audience not in principal.token.audience:
            raise InvalidToken
        if self is NOTHING:
            return
        asks_for_authentication = bool(self.acr) or self.max_age is not None
        if asks_for_authentication and not isinstance(principal.token, AccessToken):
            raise PermissionDenied
        principal.require(self.role, self.scopes)
        if asks_for_authentication:
            check_authentication(principal.authentication, self.acr, self.max_age)


NOTHING = Requirement()


def parse_requirement(query: Mapping[str, str]) -> Requirement:
    """Return the requirement of query parameters that have the forms of FORMS."""
    if not query:
        return NOTHING
    max_age = query.get("max_age")
    return Requirement(
        query.get("role", ""),
        frozenset(parse_scope(query.get("scope", ""))),
        query.get("audience", AUDIENCE),
        query.get("acr", ""),
        None if max_age is None else int(max_age),
    )
