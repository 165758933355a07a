"""What goes into the statements of the session engine, and what comes out.

The statements of the session engine, in the words of both databases; manager.py says what each is for.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db import connection

from latchkey.db.prepared import PreparedStatement


class SessionUser(NamedTuple):
    """Who is calling: all that is needed of the user for that, and for the user's own record."""

    id: int
    email: str
    username: str


@dataclass(frozen=True, slots=True)
class RotationValues:
    """One step of a session: the digest presented for it, and the two digests that it leaves behind (32 bytes each)."""

    selector: int
    presented: bytes
    digest: bytes
    next_digest: bytes


@dataclass(frozen=True, slots=True)
class SessionValues:
    """A session that is to begin, for whom, and until when: the columns of its row."""

    id: int
    selector: int
    digest: bytes
    next_digest: bytes
    user_id: int
    credential_version: int
    expires_at: datetime


ROTATE = """
UPDATE latchkey_session AS s
   SET digest = %(digest)s, next_digest = %(next_digest)s, rotated_at = %(now)s, expires_at = {capped}
  FROM latchkey_user AS u
 WHERE s.selector = %(selector)s
   AND (s.digest = %(presented)s OR s.next_digest = %(presented)s)
   AND s.expires_at > %(now)s AND s.created_at > %(oldest)s
   AND u.id = s.user_id AND u.is_active AND u.credential_version = s.credential_version
RETURNING {returning}
"""
INSERT_SESSION = """
INSERT INTO latchkey_session (id, selector, digest, next_digest, user_id, credential_version,
                              created_at, rotated_at, expires_at, ip, user_agent)
SELECT %(id)s, %(selector)s, %(digest)s, %(next_digest)s, u.id, u.credential_version,
       %(now)s, %(now)s, %(expires_at)s, %(ip)s, %(user_agent)s
  FROM latchkey_user AS u
 WHERE u.id = %(user_id)s AND u.is_active AND u.credential_version = %(credential_version)s {lock}
RETURNING user_id, id AS session_id, (SELECT count(*) >= %(keep)s
               OR count(CASE WHEN o.expires_at <= %(now)s OR o.credential_version <> %(credential_version)s
                             THEN 1 END) > 0
             FROM latchkey_session AS o WHERE o.user_id = %(user_id)s AND o.id <> %(id)s) AS crowded
"""
DELETE_SURPLUS = """
DELETE FROM latchkey_session
 WHERE user_id = %(user_id)s AND id <> %(id)s AND id NOT IN (
       SELECT id FROM latchkey_session
        WHERE user_id = %(user_id)s AND id <> %(id)s
          AND expires_at > %(now)s AND credential_version = %(credential_version)s
        ORDER BY created_at DESC, id DESC LIMIT CAST(%(keep)s AS integer) - 1)
"""
_DELETE = "DELETE FROM latchkey_session WHERE {} RETURNING user_id, id AS session_id"
DELETE_BY_SELECTOR = _DELETE.format("selector = %(selector)s")
DELETE_BY_ID = _DELETE.format("id = %(id)s")
_OWN = """user_id = %(user_id)s AND expires_at > %(now)s
   AND credential_version = (SELECT u.credential_version FROM latchkey_user AS u WHERE u.id = %(user_id)s)"""
DELETE_OWN = _DELETE.format(f"id = %(id)s AND {_OWN}")
DELETE_OTHERS = _DELETE.format(f"id <> %(id)s AND {_OWN}")
SELECT_SESSION_USER = PreparedStatement(
    "latchkey_bearer",
    """
SELECT u.id, u.email, u.username
  FROM latchkey_session AS s JOIN latchkey_user AS u ON u.id = s.user_id
 WHERE s.id = %(id)s AND s.expires_at > %(now)s
   AND u.is_active AND u.credential_version = s.credential_version
""",
    int,
    bytes.decode,
    bytes.decode,
)
_DIALECTS = {  # capped: min(until, created_at + cap). SQLite has times as text, and its datetime() would round them
    "postgresql": {
        "capped": "LEAST(%(until)s, s.created_at + make_interval(secs => %(cap)s))",
        "returning": "s.id, s.user_id",
        "lock": "FOR NO KEY UPDATE",
    },
    "sqlite": {
        "capped": """MIN(%(until)s, datetime(substr(s.created_at, 1, 19), %(cap)s || ' seconds')
                                    || substr(s.created_at, 20))""",
        "returning": "id, user_id",
        "lock": "",  # whoever writes is alone
    },
}


@cache
def for_vendor(statement: str, vendor: str) -> str:
    """Return a statement in the words of 'postgresql' or 'sqlite'."""
    return statement.format(**_DIALECTS[vendor])


@cache
def rotate_statement() -> PreparedStatement:
    """Return ROTATE, whose row is the session's id and its user's; each coroutine has a `connection` of its own."""
    return PreparedStatement("latchkey_rotate", for_vendor(ROTATE, connection.vendor), int, int)


def event_loop_statements() -> tuple[PreparedStatement, ...]:
    """Return the statements that the event loop executes, on PostgreSQL."""
    return SELECT_SESSION_USER, rotate_statement()
