"""SQL of the session engine, and the manager that sends it.

The ORM cannot say these statements in one. Each is written for PostgreSQL and SQLite.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q

from latchkey.audit.events import Event
from latchkey.audit.log import execute_and_persist, record
from latchkey.core.client import ClientInfo
from latchkey.db.statements import PreparedStatement, Query, fetch_all

if TYPE_CHECKING:
    from latchkey.sessions.models import Session


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


class SessionManager(models.Manager["Session"]):
    def live(self, now: datetime) -> models.QuerySet["Session"]:
        """Return the sessions that still sign somebody in; the rest only await pruning."""
        return self.filter(expires_at__gt=now, user__is_active=True, user__credential_version=F("credential_version"))

    def prunable(self, now: datetime) -> models.QuerySet["Session"]:
        """Return the sessions that await pruning: the complement of live()."""
        of_user = get_user_model().objects.filter(pk=OuterRef("user"), is_active=True)
        return self.filter(
            Q(expires_at__lte=now) | ~Exists(of_user.filter(credential_version=OuterRef("credential_version")))
        )

    def insert_if_current(self, opening: SessionValues, client: ClientInfo, now: datetime, keep: int) -> bool:
        """Add the session, if what was proven still holds: its user may have changed while the password was hashed.

        Returns whether it does; then the event of it is kept too. The lock on the user holds off a deletion until the
        transaction is over. Of the user's others the ended ones go and, past the number to keep, the oldest live ones;
        the new one is spared by its id, as after the clock was set back it may look like the oldest.
        """
        adapted = connection.ops.adapt_datetimefield_value
        parameters: dict[str, Any] = {
            "id": opening.id,
            "selector": opening.selector,
            "digest": opening.digest,
            "next_digest": opening.next_digest,
            "user_id": opening.user_id,
            "credential_version": opening.credential_version,
            "now": adapted(now),
            "expires_at": adapted(opening.expires_at),
            "ip": connection.ops.adapt_ipaddressfield_value(client.address),
            "user_agent": client.user_agent,
            "keep": keep,
        }
        rows = execute_and_persist(
            for_vendor(INSERT_SESSION, connection.vendor), parameters, Event.LOGIN_SUCCEEDED, client
        )
        for _, _, crowded in rows:
            if crowded:
                fetch_all(DELETE_SURPLUS, parameters)
        return bool(rows)

    def delete_and_record(
        self,
        statement: str,
        parameters: Mapping[str, Any],
        event: Event,
        client: ClientInfo | None = None,
        reason: str | None = None,
    ) -> int:
        """End the sessions that a statement of END's names, record an event for each, and return how many there were.

        The rows are gone and the events are there, or neither is: nothing ends unexplained.
        """
        ended = execute_and_persist(statement, parameters, event, client, reason or "")
        for user_id, session_id in ended:
            record(event, client, user_id=user_id, session_id=session_id, reason=reason, persisted=True)
        return len(ended)

    def rotate_query(self, step: RotationValues, now: datetime, lifetime: timedelta, cap: timedelta) -> Query:
        """Return the statement that takes a session one step on; it has a row where the token is the current one.

        Equal requests queue for the row, and each looks at the digests again once it has it: exactly one
        of them matches, without a transaction and without a lock of ours. The expiry moves to
        min(now + lifetime, created_at + cap). No indexed column changes, so that on PostgreSQL the new
        version of the row stays on its page (a heap-only update) and no index grows.
        """
        parameters: dict[str, Any] = {
            "selector": step.selector,
            "presented": step.presented,
            "digest": step.digest,
            "next_digest": step.next_digest,
            "now": now,
            "until": now + lifetime,
            "oldest": now - cap,
            "cap": int(cap.total_seconds()),
        }
        return Query(rotate_statement(), parameters)

    def session_user_query(self, session_id: int, now: datetime) -> Query:
        """Return the statement that finds the user whose live session this is: one SELECT, no row where it is none."""
        return Query(SELECT_SESSION_USER, {"id": session_id, "now": now})
