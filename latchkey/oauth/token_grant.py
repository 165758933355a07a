"""The client credentials grant (RFC 6749 section 4.4): an access token for an application, in its own name.

No row is written: a token is a signed statement that ends by itself, and each use of it at this service looks at the
application again (decision 38). There is no refresh token (section 4.4.3).
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings

from latchkey.applications.credentials import OAuthClient
from latchkey.applications.models import IS_USER_ID, ApplicationKind
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.authorization.models import NAME
from latchkey.authorization.scopes import format_scope, parse_scope
from latchkey.conf.policy import Policy
from latchkey.core.client import ClientInfo
from latchkey.oauth.token_errors import (
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from latchkey.tokens.access_token import AUDIENCE, Key, issue_for_client

GRANT_TYPE = "client_credentials"
MAX_RESOURCES = 10
"""Audiences of one token, at most: a token has to fit into a header."""

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
"""Form of a scope parameter (RFC 6749 section 3.3)."""


class TokenRequest(NamedTuple):
    """What an application asks for: scopes, None for all that it has, and resources, none for the first that it has."""

    scopes: tuple[str, ...] | None
    resources: tuple[str, ...]


class IssuedToken(NamedTuple):
    """A successful answer (RFC 6749 section 5.1). expires_in is in seconds; scope is empty where there is none."""

    access_token: str
    expires_in: int
    scope: str

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object of the answer."""
        members = {"access_token": self.access_token, "token_type": "Bearer", "expires_in": self.expires_in}
        return members | ({"scope": self.scope} if self.scope else {})


def parse_request(parameters: Mapping[str, str], resource: str | list[str] | None) -> TokenRequest:
    """Return the request in the parameters of a form; all that it does not know are ignored (RFC 6749 section 3.2).

    Raises InvalidRequest, UnsupportedGrantType, InvalidScope or InvalidTarget.
    """
    grant_type = parameters.get("grant_type")
    if grant_type is None:
        raise InvalidRequest("The parameter grant_type is missing.")
    if grant_type != GRANT_TYPE:
        raise UnsupportedGrantType
    scope = parameters.get("scope")
    if scope is not None and not _SCOPE.fullmatch(scope):
        raise InvalidScope("A scope is a list of names with one space between them.")
    resources = [resource] if isinstance(resource, str) else resource or []
    if len(resources) > MAX_RESOURCES:
        raise InvalidTarget(f"At most {MAX_RESOURCES} resources can be asked for at once.")
    return TokenRequest(None if scope is None else tuple(parse_scope(scope)), tuple(dict.fromkeys(resources)))


def issue_token(  # noqa: PLR0913, PLR0917  # who asks, for what, when, and how it is signed
    application: OAuthClient, request: TokenRequest, client: ClientInfo, now: datetime, policy: Policy, key: Key | None
) -> IssuedToken:
    """Issue an access token to an authenticated application.

    Raises UnauthorizedClient for one that may not have any, InvalidScope or InvalidTarget for more than it has.
    """
    if application.kind != ApplicationKind.SERVICE or IS_USER_ID.fullmatch(application.client_id):
        raise UnauthorizedClient
    scopes = application.scopes if request.scopes is None else frozenset(request.scopes)
    if not scopes <= application.scopes:
        raise InvalidScope(_missing(scopes - application.scopes))
    audience = _audience(request.resources, _load_resources(application.resources))
    lifetime = policy.application_token_lifetime
    token = issue_for_client(application.client_id, scopes, audience, now, lifetime, key)
    record(Event.TOKEN_ISSUED, client, client_id=application.client_id)
    return IssuedToken(token, int(lifetime.total_seconds()), format_scope(scopes))


def _missing(scopes: frozenset[str]) -> str:
    """Return the sentence about the first scope that an application lacks, without echoing what is no name."""
    name = min(scopes)
    return f"The application does not have the scope {name}." if NAME.fullmatch(name) else InvalidScope.detail


def _audience(asked: tuple[str, ...], allowed: tuple[str, ...]) -> list[str]:
    """Return the audiences of a token; raises InvalidTarget. The issuer stands for this service, `latchkey`."""
    own = settings.PUBLIC_URL
    if not asked:
        return [allowed[0] if allowed else AUDIENCE]
    if any(resource not in (own, f"{own}/", *allowed) for resource in asked):
        raise InvalidTarget
    return list(dict.fromkeys(AUDIENCE if resource in (own, f"{own}/") else resource for resource in asked))


@lru_cache(maxsize=1024)
def _load_resources(stored: str) -> tuple[str, ...]:
    return tuple(json.loads(stored))
