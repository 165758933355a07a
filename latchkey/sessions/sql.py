"""SQL of the session engine, and the manager that sends it.

The ORM cannot say these statements in one. Each is written for PostgreSQL and SQLite.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q

from latchkey.audit.events import Event
from latchkey.audit.log import execute_and_persist, record
from latchkey.core.client import ClientInfo
from latchkey.db.batches import BatchedStatement
from latchkey.db.statements import Query, fetch_all

if TYPE_CHECKING:
    from latchkey.sessions.models import Session


class SessionUser(NamedTuple):
    """The user of a live session: what authentication, the user's own record and other services need.

    email_verified is 1 or 0, as neither database needs more: SQLite has no truth values. proof is a mask of Proof, and
    authenticated_at the Unix seconds of the last authentication. token_claims is `User.token_claims`.
    """

    id: int
    email: str
    username: str
    email_verified: int
    proof: int
    authenticated_at: int
    token_claims: str = ""


@dataclass(frozen=True, slots=True)
class RotationValues:
    """One rotation of a refresh token: the digest of the token presented, and those to store (32 bytes each).

    retry_digest is that of the Idempotency-Key of the request, empty without one.
    """

    selector: int
    presented: bytes
    digest: bytes
    next_digest: bytes
    retry_digest: bytes


@dataclass(frozen=True, slots=True)
class SessionValues:
    """The columns of a new session."""

    id: int
    selector: int
    digest: bytes
    next_digest: bytes
    user_id: int
    credential_version: int
    expires_at: datetime
    proof: int


IS_LIVE = "s.expires_at > %(now)s AND u.is_active AND u.credential_version = s.credential_version"
"""A session is live: it has not expired, its user is active, and no sign-out of all sessions came after its sign-in.

s is latchkey_session and u its row of latchkey_user; live_condition() says the same to the ORM. SESSION_LIFETIME_CAP is
no part of it. The cap is applied when a session is opened or refreshed, so a lowered cap reaches a session at its next
refresh, while access tokens, which expire by themselves, go by the expiry that stands in the row.
"""


def _with_live(sql: str) -> str:
    return sql.replace("{is_live}", IS_LIVE)


ROTATE = """
UPDATE latchkey_session AS s
   SET digest = %(digest)s, next_digest = %(next_digest)s, retry_digest = %(retry_digest)s, rotated_at = %(now)s,
       expires_at = {capped}
  FROM {members}latchkey_user AS u
 WHERE s.selector = %(selector)s
   AND (s.digest = %(presented)s OR s.next_digest = %(presented)s)
   AND u.id = s.user_id AND {is_live} AND s.created_at > %(oldest)s
RETURNING {number}{returning}
"""
INSERT_SESSION = """
INSERT INTO latchkey_session (id, selector, digest, next_digest, user_id, credential_version,
                              created_at, rotated_at, expires_at, ip, user_agent, proof, authenticated_at)
SELECT %(id)s, %(selector)s, %(digest)s, %(next_digest)s, u.id, u.credential_version,
       %(now)s, %(now)s, %(expires_at)s, %(ip)s, %(user_agent)s, %(proof)s, %(now)s
  FROM latchkey_user AS u
 WHERE u.id = %(user_id)s AND u.is_active AND u.credential_version = %(credential_version)s {lock}
RETURNING user_id, id AS session_id, (
          SELECT count(*) >= %(keep)s OR count(CASE WHEN {is_live} THEN 1 END) < count(*)
            FROM latchkey_session AS s JOIN latchkey_user AS u ON u.id = s.user_id
           WHERE s.user_id = %(user_id)s AND s.id <> %(id)s) AS has_surplus
"""
DELETE_SURPLUS = _with_live("""
DELETE FROM latchkey_session
 WHERE user_id = %(user_id)s AND id <> %(id)s AND id NOT IN (
       SELECT s.id FROM latchkey_session AS s JOIN latchkey_user AS u ON u.id = s.user_id
        WHERE s.user_id = %(user_id)s AND s.id <> %(id)s AND {is_live}
        ORDER BY s.created_at DESC, s.id DESC LIMIT CAST(%(keep)s AS integer) - 1)
""")
_DELETE = "DELETE FROM latchkey_session AS s WHERE {} RETURNING user_id, id AS session_id"
DELETE_BY_SELECTOR = _DELETE.format("selector = %(selector)s")
DELETE_BY_ID = _DELETE.format("id = %(id)s")
_OWN = _with_live("""user_id = %(user_id)s AND EXISTS (
       SELECT 1 FROM latchkey_user AS u WHERE u.id = s.user_id AND {is_live})""")
DELETE_OWN = _DELETE.format("id = %(id)s AND " + _OWN)
DELETE_OTHERS = _DELETE.format("id <> %(id)s AND " + _OWN)
SELECT_SESSION_USER = """
SELECT {number}u.id, u.email, u.username, CASE WHEN u.email_verified_at IS NULL THEN 0 ELSE 1 END, s.proof,
       {authenticated_at}, u.token_claims
  FROM {members}latchkey_session AS s JOIN latchkey_user AS u ON u.id = s.user_id
 WHERE s.id = %(id)s AND {is_live}
"""
_ROTATION_TYPES = {
    **dict.fromkeys(("digest", "next_digest", "retry_digest", "presented"), "bytea"),
    **dict.fromkeys(("now", "until", "oldest"), "timestamptz"),
    "selector": "bigint",
    "cap": "integer",
}
_DIALECTS = {  # capped: min(until, created_at + cap). SQLite has times as text, and its datetime() would round them
    "postgresql": {
        "capped": "LEAST(%(until)s, s.created_at + make_interval(secs => %(cap)s))",
        "returning": "s.id, s.user_id, s.proof, {authenticated_at}, u.token_claims",
        "authenticated_at": "CAST(floor(extract(epoch FROM COALESCE(s.authenticated_at, s.created_at))) AS bigint)",
        "lock": "FOR NO KEY UPDATE",
    },
    "sqlite": {
        "capped": """MIN(%(until)s, datetime(substr(s.created_at, 1, 19), %(cap)s || ' seconds')
                                    || substr(s.created_at, 20))""",
        "returning": """id, user_id, proof, CAST(strftime('%%s', COALESCE(authenticated_at, created_at)) AS integer),
           (SELECT token_claims FROM latchkey_user WHERE latchkey_user.id = user_id)""",
        "authenticated_at": "CAST(strftime('%%s', COALESCE(s.authenticated_at, s.created_at)) AS integer)",
        "lock": "",  # there is one writer at a time
    },
}


@cache
def for_vendor(statement: str, vendor: str, members: str = "", number: str = "") -> str:
    """Return a statement in the dialect of 'postgresql' or 'sqlite'; members and number are those of a batch."""
    dialect = _DIALECTS[vendor]
    words = {name: text.replace("{authenticated_at}", dialect["authenticated_at"]) for name, text in dialect.items()}
    return statement.format(is_live=IS_LIVE, members=members, number=number, **words)


@cache
def rotate_statement() -> BatchedStatement:
    """Return ROTATE, whose row is the session's id, its user's, its proof and time of authentication, and its claims.

    Cached, because each coroutine has a `connection` of its own.
    """
    render = partial(for_vendor, ROTATE, connection.vendor)
    columns = int, int, int, int, bytes.decode
    return BatchedStatement("latchkey_rotate", render, _ROTATION_TYPES, *columns, distinct="selector")


@cache
def session_user_statement() -> BatchedStatement:
    """Return SELECT_SESSION_USER, whose row is a SessionUser."""
    render = partial(for_vendor, SELECT_SESSION_USER, connection.vendor)
    columns = int, bytes.decode, bytes.decode, int, int, int, bytes.decode
    return BatchedStatement("latchkey_bearer", render, {"id": "bigint", "now": "timestamptz"}, *columns)


def event_loop_statements() -> tuple[BatchedStatement, ...]:
    """Return the statements that the event loop executes, on PostgreSQL."""
    return session_user_statement(), rotate_statement()


def live_condition(now: datetime) -> Q:
    """Return IS_LIVE for the ORM. Its negation is a condition on the row alone.

    A join instead of EXISTS would have Django delete by a list of ids, which PostgreSQL does not check again for a row
    that changed while the DELETE waited for it.
    """
    current = get_user_model().objects.filter(
        pk=OuterRef("user"), is_active=True, credential_version=OuterRef("credential_version")
    )
    return Q(expires_at__gt=now) & Q(Exists(current))


class SessionManager(models.Manager["Session"]):
    """Manager of sessions: the queries and statements that the ORM cannot express in one."""

    def live(self, now: datetime) -> models.QuerySet["Session"]:
        """Return the live sessions; all others only await pruning."""
        return self.filter(live_condition(now))

    def prunable(self, now: datetime) -> models.QuerySet["Session"]:
        """Return the sessions that await pruning: the complement of live()."""
        return self.filter(~live_condition(now))

    def insert_if_current(self, values: SessionValues, client: ClientInfo, now: datetime, keep: int) -> bool:
        """Insert a session and its event if the user's credentials are still those that were proven.

        The user may have changed while the password was hashed; then nothing is inserted, and False is returned. The
        lock on the user holds off a deletion until the end of the transaction. Of the user's other sessions the ended
        ones are deleted and, past the number to keep, the oldest live ones. The new one is excluded by its id, as it
        may look like the oldest after the clock was set back.
        """
        adapted = connection.ops.adapt_datetimefield_value
        parameters: dict[str, Any] = {
            "id": values.id,
            "selector": values.selector,
            "digest": values.digest,
            "next_digest": values.next_digest,
            "user_id": values.user_id,
            "credential_version": values.credential_version,
            "now": adapted(now),
            "expires_at": adapted(values.expires_at),
            "ip": connection.ops.adapt_ipaddressfield_value(client.address),
            "user_agent": client.user_agent,
            "keep": keep,
            "proof": values.proof,
        }
        rows = execute_and_persist(
            for_vendor(INSERT_SESSION, connection.vendor), parameters, Event.LOGIN_SUCCEEDED, client
        )
        for _, _, has_surplus in rows:
            if has_surplus:
                fetch_all(DELETE_SURPLUS, parameters)
        return bool(rows)

    def delete_and_record(  # noqa: PLR0913, PLR0917  # the statement, and the columns of the event
        self,
        statement: str,
        parameters: Mapping[str, Any],
        event: Event,
        client: ClientInfo | None = None,
        reason: str | None = None,
        actor_id: int | None = None,
        client_id: str = "",
    ) -> int:
        """Delete the sessions of a DELETE statement, record an event for each, and return their number.

        Rows and events change in one transaction: no session ends without an event.
        """
        ended = execute_and_persist(statement, parameters, event, client, reason or "", actor_id, client_id)
        for user_id, session_id in ended:
            record(
                event,
                client,
                user_id=user_id,
                session_id=session_id,
                reason=reason,
                actor_id=actor_id,
                client_id=client_id,
                persisted=True,
            )
        return len(ended)

    def rotate_query(self, step: RotationValues, now: datetime, lifetime: timedelta, cap: timedelta) -> Query:
        """Return the statement that rotates a refresh token; it has a row if the token is the session's current one.

        Concurrent requests with the same token queue for the row, and each compares the digests again once it has the
        lock: exactly one matches, without a transaction and without a lock of ours. The expiry moves to
        min(now + lifetime, created_at + cap). No indexed column changes, so that on PostgreSQL the new version of the
        row stays on its page (a heap-only update) and no index grows.
        """
        parameters: dict[str, Any] = {
            "selector": step.selector,
            "presented": step.presented,
            "digest": step.digest,
            "next_digest": step.next_digest,
            "retry_digest": step.retry_digest,
            "now": now,
            "until": now + lifetime,
            "oldest": now - cap,
            "cap": int(cap.total_seconds()),
        }
        return Query(rotate_statement(), parameters)

    def session_user_query(self, session_id: int, now: datetime) -> Query:
        """Return the SELECT of the user of a live session; it has no row without one."""
        return Query(session_user_statement(), {"id": session_id, "now": now})
