"""Audit log: `record` stores an event in the database, logs it and counts it. All events go through this module.

On PostgreSQL a statement that changes sessions and the INSERT of its event are one statement (a data-modifying CTE),
hence one round trip (docs/decisions/0011). SQLite supports no such CTE and has no round trips: there they are two
statements in one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import structlog
from django.db import connection, transaction

from latchkey.audit.events import DETAIL_LENGTH, NOTIFIABLE, PERSISTED, WARNINGS, Event
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.db.statements import fetch_all
from latchkey.telemetry.request_log import count_event, log_event

INSERT_FROM = """
INSERT INTO latchkey_event (at, name, user_id, session_id, actor_id, ip, user_agent, detail, notification_pending,
                            client_id)
SELECT %(event_at)s, %(event)s, {user_id}, {session_id}, %(event_actor_id)s, %(event_ip)s, %(event_user_agent)s,
       %(detail)s, %(notification_pending)s, %(event_client_id)s
"""
INSERT_ONE = INSERT_FROM.format(user_id="%(event_user_id)s", session_id="%(event_session_id)s")


def persist(  # noqa: PLR0913, PLR0917  # the columns of the table
    event: Event,
    client: ClientInfo | None = None,
    user_id: int | None = None,
    session_id: int | None = None,
    detail: str = "",
    actor_id: int | None = None,
    client_id: str = "",
) -> None:
    """Store one event; raises DatabaseError."""
    columns = _columns(event, client, detail, actor_id, client_id)
    fetch_all(INSERT_ONE, {**columns, "event_user_id": user_id, "event_session_id": session_id})


def execute_and_persist(  # noqa: PLR0913, PLR0917  # the statement, and the columns of the event
    statement: str,
    parameters: Mapping[str, Any],
    event: Event,
    client: ClientInfo | None = None,
    detail: str = "",
    actor_id: int | None = None,
    client_id: str = "",
) -> list[tuple[Any, ...]]:
    """Execute a statement that changes sessions, store an event for each, and return the rows of the statement.

    The statement must return `user_id` and `session_id` as the first two columns. It is atomic: all or nothing.
    """
    columns = _columns(event, client, detail, actor_id, client_id)
    if connection.vendor == "postgresql":
        return fetch_all(_with_event_cte(statement), {**parameters, **columns})
    with transaction.atomic(savepoint=False):
        rows = fetch_all(statement, parameters)
        for user_id, session_id, *_ in rows:
            fetch_all(INSERT_ONE, {**columns, "event_user_id": user_id, "event_session_id": session_id})
    return rows


@cache
def _with_event_cte(statement: str) -> str:
    insert = INSERT_FROM.format(user_id="user_id", session_id="session_id")
    ctes = f"changed AS ({statement}), stored AS ({insert} FROM changed)"
    return f"WITH {ctes} SELECT * FROM changed"  # noqa: S608 - statements of this package, without values


def _columns(
    event: Event, client: ClientInfo | None, detail: str, actor_id: int | None, client_id: str
) -> dict[str, Any]:
    return {
        "event_at": connection.ops.adapt_datetimefield_value(clock.now()),
        "event": event.value,
        "event_actor_id": actor_id,
        "event_ip": connection.ops.adapt_ipaddressfield_value(client.address if client else None),
        "event_user_agent": client.user_agent if client else "",
        "detail": detail[:DETAIL_LENGTH],
        "notification_pending": event.value in NOTIFIABLE,
        "event_client_id": client_id,
    }


_log = structlog.get_logger("latchkey.audit")


def record(  # noqa: PLR0913  # all but two are keyword-only
    event: Event,
    client: ClientInfo | None = None,
    *,
    user_id: int | None = None,
    session_id: int | None = None,
    key_id: str | None = None,
    reason: str | None = None,
    actor_id: int | None = None,
    client_id: str = "",
    persisted: bool = False,
) -> None:
    """Store, count and log an event; never with a token, a digest, a password or an e-mail address.

    The row is written in the transaction of the caller. The count and the log line follow when that has been
    committed, and outside of a transaction at once: a change that is rolled back leaves none of the three. So a caller
    records a failure that must be stored (LOGIN_FAILED) after the block that the failure rolls back, not in it.
    Events that are not stored (RATE_LIMIT_EXCEEDED, SESSION_REFRESHED) change nothing in the transaction around them:
    they are counted and logged at once, even if their error rolls it back.

    `actor_id` is the operator who made a change for the user, `client_id` the application that did. `persisted` means
    that the row was already written by the statement of the change. Raises DatabaseError if the row cannot be written.
    """
    name, stored = event.value, event.value in PERSISTED
    if stored and not persisted:
        persist(event, client, user_id, session_id, reason or key_id or "", actor_id, client_id)
    subject = {
        "user_id": user_id,
        "session_id": None if session_id is None else str(session_id),
        "actor_id": actor_id,
        "client_id": client_id or None,
        "key_id": key_id,
        "reason": reason,
    }
    origin = {"ip": client.address, "user_agent": client.user_agent} if client else {}
    fields = {key: value for key, value in (subject | origin).items() if value is not None}
    if stored and connection.in_atomic_block:
        transaction.on_commit(partial(_count_and_log, name, fields), robust=True)
    else:
        _count_and_log(name, fields)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who changes the service or an account for others: staff in the admin, an application, or the command line.

    `user_id` and `client` are those of the person, and None on the command line. `client_id` is that of an application,
    which has no `user_id`.
    """

    user_id: int | None = None
    client: ClientInfo | None = None
    client_id: str = ""

    def reason(self, detail: str = "") -> str:
        """Return the reason of an event: the detail, and that it was the command line, or an operator."""
        if self.client_id:
            return detail or "application"
        if self.user_id is None:
            return f"{detail} (command line)" if detail else "command line"
        return detail or "operator"


COMMAND_LINE = Operator()


def record_by(  # noqa: PLR0913  # all but two are keyword-only
    operator: Operator,
    event: Event,
    *,
    user_id: int | None = None,
    session_id: int | None = None,
    detail: str = "",
    persisted: bool = False,
) -> None:
    """Record an event that an operator caused, with the operator and the operator's address; as `record` does."""
    record(
        event,
        operator.client,
        user_id=user_id,
        session_id=session_id,
        reason=operator.reason(detail),
        actor_id=operator.user_id,
        client_id=operator.client_id,
        persisted=persisted,
    )


def _count_and_log(name: str, fields: dict[str, Any]) -> None:
    count_event(name)
    if name in WARNINGS:
        _log.warning(name, **fields)
    else:
        log_event(_log, name, **fields)
