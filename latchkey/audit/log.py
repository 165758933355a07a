"""Write events into their table, together with what they tell of.

On PostgreSQL a statement that changes sessions and the one that keeps the event of it are one, hence one round trip.
SQLite knows no WITH around a statement that writes, and no round trips: there they are two, in one transaction.

The one verb that speaks outward: an outcome becomes a row where it is kept, one log line, and a count.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import structlog
from django.db import connection, transaction

from latchkey.audit.events import DETAIL_LENGTH, NOTIFIABLE, PERSISTED, Event
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.db.statements import fetch_all
from latchkey.telemetry.request_log import count_event, log_event

INSERT_FROM = """
INSERT INTO latchkey_event (at, name, user_id, session_id, ip, user_agent, detail, notification_pending)
SELECT %(event_at)s, %(event)s, {user_id}, {session_id}, %(event_ip)s, %(event_user_agent)s, %(detail)s,
       %(notification_pending)s
"""
INSERT_ONE = INSERT_FROM.format(user_id="%(event_user_id)s", session_id="%(event_session_id)s")


def persist(
    event: Event,
    client: ClientInfo | None = None,
    user_id: int | None = None,
    session_id: int | None = None,
    detail: str = "",
) -> None:
    """Write one event."""
    fetch_all(INSERT_ONE, {**_columns(event, client, detail), "event_user_id": user_id, "event_session_id": session_id})


def execute_and_persist(
    statement: str, parameters: Mapping[str, Any], event: Event, client: ClientInfo | None = None, detail: str = ""
) -> list[tuple[Any, ...]]:
    """Execute a statement that changes sessions, keep an event for each, and return its rows.

    Each row begins with user_id and session_id, by these names. Either all of it happens or nothing does.
    """
    facts = _columns(event, client, detail)
    if connection.vendor == "postgresql":
        return fetch_all(_with_event_cte(statement), {**parameters, **facts})
    with transaction.atomic(savepoint=False):
        rows = fetch_all(statement, parameters)
        for user_id, session_id, *_ in rows:
            fetch_all(INSERT_ONE, {**facts, "event_user_id": user_id, "event_session_id": session_id})
    return rows


@cache
def _with_event_cte(statement: str) -> str:
    kept = INSERT_FROM.format(user_id="user_id", session_id="session_id")
    return f"WITH done AS ({statement}), kept AS ({kept} FROM done) SELECT * FROM done"  # noqa: S608 - words of ours alone


def _columns(event: Event, client: ClientInfo | None, detail: str) -> dict[str, Any]:
    adapted = connection.ops.adapt_datetimefield_value
    return {
        "event_at": adapted(clock.now()),
        "event": event.value,
        "event_ip": connection.ops.adapt_ipaddressfield_value(client.address if client else None),
        "event_user_agent": client.user_agent if client else "",
        "detail": detail[:DETAIL_LENGTH],
        "notification_pending": event.value in NOTIFIABLE,
    }


_log = structlog.get_logger("latchkey.audit")


def record(  # noqa: PLR0913  # all but two are named at the call
    event: Event,
    client: ClientInfo | None = None,
    *,
    user_id: int | None = None,
    session_id: int | None = None,
    key_id: str | None = None,
    reason: str | None = None,
    persisted: bool = False,
) -> None:
    """Keep, count and log an event with who, whence and why; never a token, a digest, a password or an e-mail address.

    kept says that its row was written already, in the statement that the event tells of. Raises DatabaseError where
    the row cannot be written.
    """
    name = event.value
    if not persisted and name in PERSISTED:
        persist(event, client, user_id, session_id, reason or key_id or "")
    count_event(name)
    facts = {"user_id": user_id, "session_id": session_id and str(session_id), "key_id": key_id, "reason": reason}
    origin = {"ip": client.address, "user_agent": client.user_agent} if client else {}
    log_event(_log, name, **{key: value for key, value in (facts | origin).items() if value is not None})
