"""Authentication of access tokens, for our own endpoints and for the resource servers that ask us."""

from collections.abc import Callable
from typing import Any

from latchkey.core import clock
from latchkey.core.exceptions import InvalidToken
from latchkey.db.statements import Query
from latchkey.sessions.models import Session
from latchkey.sessions.sql import SessionUser
from latchkey.signing_keys.key_set import find_key
from latchkey.tokens import access_token
from latchkey.tokens.access_token import AccessToken, Key


def authenticate_access_token(presented: str) -> tuple[AccessToken, SessionUser]:
    """Return an access token and the user of its live session; raises InvalidToken.

    One SELECT joins session and user, so that sign-out, deactivation and a new password take effect at the next request
    and not when the token expires.
    """
    token, query = prepare(presented)
    return token, finish(token, query.fetch())


def prepare(presented: str, find: Callable[[str], Key | None] = find_key) -> tuple[AccessToken, Query]:
    """Verify the signature and the claims; return the token and the statement of its session.

    Raises InvalidToken, or PermissionDenied for the token of an application, which has no session.
    """
    now = clock.now()
    token = access_token.verify(presented, now, find)
    return token, Session.objects.session_user_query(token.session_id, now)


def finish(token: AccessToken, rows: list[tuple[Any, ...]]) -> SessionUser:
    """Return the user out of the row of the statement; raises InvalidToken without a row: the session is not live."""
    user = SessionUser(*rows[0]) if rows else None
    if user is None or user.id != token.user_id:
        raise InvalidToken
    return user
