"""Fast handler of GET /api/me/ (web/fast_path.py)."""

from typing import Any

from latchkey.api_keys.api_key import looks_like_key
from latchkey.bearer_tokens.validation import validate
from latchkey.core.exceptions import PermissionDenied
from latchkey.db.statements import Query
from latchkey.profile.serializers import MeOutput
from latchkey.sessions import access_tokens
from latchkey.sessions.authentication import bearer_token
from latchkey.sessions.fast_path import prepare_access_token
from latchkey.tokens.access_token import AccessToken
from latchkey.web.fast_path import AsyncSteps, Environ, FastHandler, Rows, body_of

me_body = body_of(MeOutput)


def parse_me(environ: Environ) -> str | None:
    """Return the access token; None without one, and for an API key, which is the view's."""
    presented = bearer_token(environ)
    return None if presented is None or looks_like_key(presented) else presented


def handle_me(presented: str, environ: Environ) -> dict[str, Any]:
    """Do as MeView.get does."""
    try:
        return me_body(access_tokens.authenticate_access_token(presented)[1])
    except PermissionDenied:  # the token of an application, which is worth nothing if it names another audience
        validate(presented)
        raise


def prepare_me(presented: str) -> tuple[AccessToken, Query] | None:
    """Return the verified token and the statement of its session; None for that of an application."""
    try:
        return prepare_access_token(presented)
    except PermissionDenied:
        return None


def finish_me(token: AccessToken, rows: Rows, environ: Environ) -> dict[str, Any]:
    """Return the record out of the row of the live session; raises InvalidToken without one."""
    return me_body(access_tokens.finish(token, rows))


ME = FastHandler(parse_me, handle_me, AsyncSteps(prepare_me, finish_me))
