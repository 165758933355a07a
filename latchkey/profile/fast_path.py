"""Fast handler of GET /api/me/ (web/fast_path.py)."""

from typing import Any

from latchkey.profile.serializers import MeOutput
from latchkey.sessions import access_tokens
from latchkey.sessions.authentication import bearer_token
from latchkey.sessions.fast_path import prepare_access_token
from latchkey.tokens.access_token import AccessToken
from latchkey.web.fast_path import AsyncSteps, Environ, FastHandler, Rows, body_of

me_body = body_of(MeOutput)


def handle_me(presented: str, environ: Environ) -> dict[str, Any]:
    """Do as MeView.get does."""
    return me_body(access_tokens.authenticate_access_token(presented)[1])


def finish_me(token: AccessToken, rows: Rows, environ: Environ) -> dict[str, Any]:
    """Return the record out of the row of the live session; raises InvalidToken without one."""
    return me_body(access_tokens.finish(token, rows))


ME = FastHandler(bearer_token, handle_me, AsyncSteps(prepare_access_token, finish_me))
