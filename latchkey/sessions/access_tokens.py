"""Tell whose access token it is, here and for the services behind us."""

from collections.abc import Callable
from typing import Any

from latchkey.core import clock
from latchkey.core.exceptions import InvalidToken
from latchkey.db.prepared import Question
from latchkey.sessions.models import Session
from latchkey.sessions.sql import Bearer
from latchkey.signing_keys import key_set as ring
from latchkey.tokens import access_token
from latchkey.tokens.access_token import AccessToken
from latchkey.tokens.keys import Key


def verify(presented: str) -> tuple[AccessToken, Bearer]:
    """Return what an access token says and whose it is, while its session is live; raises InvalidToken.

    One SELECT joins session and user, so that sign-out, deactivation and a new password act at the next
    request and not when the token expires.
    """
    token, question = begin(presented)
    return token, end(token, question.fetch())


def begin(presented: str, find: Callable[[str], Key | None] = ring.find) -> tuple[AccessToken, Question]:
    """Do what comes before the statement: the token's signature and times are right; raises InvalidToken."""
    now = clock.now()
    token = access_token.verify(presented, now, find)
    return token, Session.objects.bearer(token.session_id, now)


def end(token: AccessToken, rows: list[tuple[Any, ...]]) -> Bearer:
    """Do what comes after the statement, which has a row where the session is live; raises InvalidToken."""
    bearer = Bearer(*rows[0]) if rows else None
    if bearer is None or bearer.id != token.user_id:
        raise InvalidToken
    return bearer
