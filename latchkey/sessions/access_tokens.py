"""Tell whose access token it is, here and for the services behind us."""

from collections.abc import Callable
from typing import Any

from latchkey.core import clock
from latchkey.core.exceptions import InvalidToken
from latchkey.db.statements import Query
from latchkey.sessions.models import Session
from latchkey.sessions.sql import SessionUser
from latchkey.signing_keys import key_set as ring
from latchkey.tokens import access_token
from latchkey.tokens.access_token import AccessToken, Key


def authenticate(presented: str) -> tuple[AccessToken, SessionUser]:
    """Return what an access token says and whose it is, while its session is live; raises InvalidToken.

    One SELECT joins session and user, so that sign-out, deactivation and a new password act at the next
    request and not when the token expires.
    """
    token, question = prepare(presented)
    return token, finish(token, question.fetch())


def prepare(presented: str, find: Callable[[str], Key | None] = ring.find_key) -> tuple[AccessToken, Query]:
    """Do what comes before the statement: the token's signature and times are right; raises InvalidToken."""
    now = clock.now()
    token = access_token.verify(presented, now, find)
    return token, Session.objects.session_user_query(token.session_id, now)


def finish(token: AccessToken, rows: list[tuple[Any, ...]]) -> SessionUser:
    """Do what comes after the statement, which has a row where the session is live; raises InvalidToken."""
    bearer = SessionUser(*rows[0]) if rows else None
    if bearer is None or bearer.id != token.user_id:
        raise InvalidToken
    return bearer
