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

from latchkey.audit.events import DETAIL_LENGTH, KEPT, NOTICED, Event
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.db.cursor import fetch
from latchkey.telemetry.metrics import happened
from latchkey.telemetry.request_log import tell

KEEP = """
INSERT INTO latchkey_event (at, name, user_id, session_id, ip, user_agent, detail, awaits_notice)
SELECT %(event_at)s, %(event)s, {user_id}, {session_id}, %(event_ip)s, %(event_user_agent)s, %(detail)s, %(awaits)s
"""
ALONE = KEEP.format(user_id="%(event_user_id)s", session_id="%(event_session_id)s")


def keep(
    event: Event,
    client: Client | None = None,
    user_id: int | None = None,
    session_id: int | None = None,
    detail: str = "",
) -> None:
    """Write one event."""
    fetch(ALONE, {**_facts(event, client, detail), "event_user_id": user_id, "event_session_id": session_id})


def done_and_kept(
    act: str, parameters: Mapping[str, Any], event: Event, client: Client | None = None, detail: str = ""
) -> list[tuple[Any, ...]]:
    """Execute a statement that changes sessions, keep an event for each, and return its rows.

    Each row begins with user_id and session_id, by these names. Either all of it happens or nothing does.
    """
    facts = _facts(event, client, detail)
    if connection.vendor == "postgresql":
        return fetch(_in_one(act), {**parameters, **facts})
    with transaction.atomic(savepoint=False):
        rows = fetch(act, parameters)
        for user_id, session_id, *_ in rows:
            fetch(ALONE, {**facts, "event_user_id": user_id, "event_session_id": session_id})
    return rows


@cache
def _in_one(act: str) -> str:
    kept = KEEP.format(user_id="user_id", session_id="session_id")
    return f"WITH done AS ({act}), kept AS ({kept} FROM done) SELECT * FROM done"  # noqa: S608 - words of ours alone


def _facts(event: Event, client: Client | None, detail: str) -> dict[str, Any]:
    adapted = connection.ops.adapt_datetimefield_value
    return {
        "event_at": adapted(clock.now()),
        "event": event.value,
        "event_ip": connection.ops.adapt_ipaddressfield_value(client.address if client else None),
        "event_user_agent": client.user_agent if client else "",
        "detail": detail[:DETAIL_LENGTH],
        "awaits": event.value in NOTICED,
    }


_log = structlog.get_logger("latchkey.audit")


def record(  # noqa: PLR0913  # all but two are named at the call
    event: Event,
    client: Client | None = None,
    *,
    user_id: int | None = None,
    session_id: int | None = None,
    key_id: str | None = None,
    reason: str | None = None,
    kept: bool = False,
) -> None:
    """Keep, count and log an event with who, whence and why; never a token, a digest, a password or an e-mail address.

    kept says that its row was written already, in the statement that the event tells of. Raises DatabaseError where
    the row cannot be written.
    """
    name = event.value
    if not kept and name in KEPT:
        keep(event, client, user_id, session_id, reason or key_id or "")
    happened(name)
    facts = {"user_id": user_id, "session_id": session_id and str(session_id), "key_id": key_id, "reason": reason}
    origin = {"ip": client.address, "user_agent": client.user_agent} if client else {}
    tell(_log, name, **{key: value for key, value in (facts | origin).items() if value is not None})
