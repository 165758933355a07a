"""Fast handler of the verify endpoint, which a reverse proxy asks for every request (web/fast_path.py)."""

import re
from typing import NamedTuple

from latchkey.db.statements import Query
from latchkey.oauth.introspection import identity_headers
from latchkey.oauth.step_up_challenge import NOTHING, Requirement
from latchkey.sessions import access_tokens
from latchkey.sessions.authentication import bearer_token
from latchkey.sessions.fast_path import prepare_access_token
from latchkey.sessions.sql import SessionUser
from latchkey.tokens.access_token import AccessToken
from latchkey.tokens.authentication_methods import Authentication
from latchkey.web.fast_path import AsyncSteps, Environ, FastHandler, NoContent, Rows

_QUERY = re.compile("(?:acr=(aal1|aal2|phr))?(?:(?:^|&)max_age=([0-9]{1,9}))?")
"""A query string as the documents have it; any other one is the view's."""


class VerifyRequest(NamedTuple):
    """A token to validate, and what its session must have proved."""

    presented: str
    requirement: Requirement


def parse_verify(environ: Environ) -> VerifyRequest | None:
    """Return the token and the requirement; None without a token, or where the view has to judge the query."""
    presented, query = bearer_token(environ), environ.get("QUERY_STRING", "")
    if presented is None or not query:
        return None if presented is None else VerifyRequest(presented, NOTHING)
    matched = _QUERY.fullmatch(query)
    if not matched:
        return None
    acr, max_age = matched.groups()
    return VerifyRequest(presented, Requirement(acr or "", None if max_age is None else int(max_age)))


def handle_verify(parsed: VerifyRequest, environ: Environ) -> NoContent:
    """Return the identity headers, as VerifyView does; raises InvalidToken or InsufficientAuthentication."""
    token, user = access_tokens.authenticate_access_token(parsed.presented)
    return _respond(token, user, parsed.requirement)


def prepare_verify(parsed: VerifyRequest) -> tuple[tuple[AccessToken, Requirement], Query] | None:
    """Return the verified token with the requirement, and the statement of its session; None without cached keys."""
    prepared = prepare_access_token(parsed.presented)
    return prepared and ((prepared[0], parsed.requirement), prepared[1])


def finish_verify(prepared: tuple[AccessToken, Requirement], rows: Rows, environ: Environ) -> NoContent:
    """Return the identity headers if the session is live and has proved enough; raises what handle_verify does."""
    token, requirement = prepared
    return _respond(token, access_tokens.finish(token, rows), requirement)


def _respond(token: AccessToken, user: SessionUser, requirement: Requirement) -> NoContent:
    if requirement is not NOTHING:
        requirement.check(Authentication(user.proof, user.authenticated_at))
    return NoContent(identity_headers(token, bool(user.email_verified)))


VERIFY = FastHandler(parse_verify, handle_verify, AsyncSteps(prepare_verify, finish_verify))
