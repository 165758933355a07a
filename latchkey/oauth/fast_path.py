"""Fast handler of the verify endpoint, which a reverse proxy asks for every request (web/fast_path.py)."""

from functools import lru_cache
from typing import NamedTuple

from django.http import QueryDict

from latchkey.api_keys.api_key import looks_like_key
from latchkey.applications.access import application_query
from latchkey.bearer_tokens.principal import Principal
from latchkey.bearer_tokens.validation import principal_of_client, validate
from latchkey.core import clock
from latchkey.core.exceptions import InvalidInput
from latchkey.db.statements import Query
from latchkey.oauth.identity_headers import identity_headers, session_headers
from latchkey.oauth.requirement import FORMS, NOTHING, Requirement, parse_requirement
from latchkey.sessions import access_tokens
from latchkey.sessions.authentication import bearer_token
from latchkey.sessions.models import Session
from latchkey.signing_keys import key_set
from latchkey.tokens import access_token
from latchkey.tokens.access_token import AccessToken, ClientAccessToken
from latchkey.web.access import Caller
from latchkey.web.fast_path import AsyncSteps, Environ, FastHandler, NoContent, Rows
from latchkey.web.query import validate_query

MAX_QUERY_LENGTH = 512
"""Characters of the longest query string that is parsed here; a longer one goes to the view."""


class VerifyRequest(NamedTuple):
    """A token to validate, and what it has to be good for."""

    presented: str
    requirement: Requirement


class VerifiedToken(NamedTuple):
    """A token with a valid signature, before its statement has been executed."""

    token: AccessToken | ClientAccessToken
    requirement: Requirement


def parse_verify(environ: Environ) -> VerifyRequest | None:
    """Return the token and the requirement; None for the view: without a token, with an API key or a wrong query."""
    presented, query = bearer_token(environ), environ.get("QUERY_STRING", "")
    if presented is None or looks_like_key(presented):
        return None
    requirement = parse_query_string(query) if query else NOTHING
    return None if requirement is None else VerifyRequest(presented, requirement)


@lru_cache(maxsize=256)
def parse_query_string(query: str) -> Requirement | None:
    """Return the requirement of a query string, None where the view answers that it is wrong.

    A proxy sends one of a few, which stand in its configuration; so each is parsed once.
    """
    if len(query) > MAX_QUERY_LENGTH or not query.isascii():
        return None
    try:
        return parse_requirement(validate_query(dict(QueryDict(query).lists()), FORMS))
    except InvalidInput:
        return None


def handle_verify(parsed: VerifyRequest, environ: Environ) -> NoContent:
    """Return the identity headers, or raise what VerifyView raises."""
    return _respond(validate(parsed.presented, audience=None), parsed.requirement)


def prepare_verify(parsed: VerifyRequest) -> tuple[VerifiedToken, Query] | None:
    """Return the verified token with the requirement, and the statement of its session or its application.

    None where a thread has to begin: without cached keys, and where the scopes of a person's roles are needed.
    """
    keys = key_set.cached_keys()
    if keys is None:
        return None
    presented, requirement = parsed
    now = clock.now()
    token = access_token.verify_any(presented, now, lambda kid: keys[kid].key if kid in keys else None)
    if isinstance(token, ClientAccessToken):
        return VerifiedToken(token, requirement), application_query(token)
    if requirement.scopes:
        return None
    return VerifiedToken(token, requirement), Session.objects.session_user_query(token.session_id, now)


def finish_verify(prepared: VerifiedToken, rows: Rows, environ: Environ) -> NoContent:
    """Return the identity headers out of the row of the statement; raises what handle_verify does."""
    token, requirement = prepared
    if isinstance(token, ClientAccessToken):
        return _respond(principal_of_client(token, rows, audience=None), requirement)
    user = access_tokens.finish(token, rows)
    if requirement is NOTHING:
        return NoContent(session_headers(token, user))
    return _respond(Principal(Caller.PERSON, user, token=token), requirement)


def _respond(principal: Principal, requirement: Requirement) -> NoContent:
    requirement.check(principal)
    return NoContent(identity_headers(principal, requirement))


VERIFY = FastHandler(parse_verify, handle_verify, AsyncSteps(prepare_verify, finish_verify))
