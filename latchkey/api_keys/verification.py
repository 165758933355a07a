"""Validation of API keys: one SELECT, which also says what the owner of the key may do at this moment."""

import time
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.db import Error, connection, transaction

from latchkey.api_keys.api_key import digest, is_well_formed
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.db.statements import fetch_all
from latchkey.rate_limits.in_memory import count_invalid_token

log = structlog.get_logger(__name__)

LAST_USED_STEP = timedelta(minutes=1)
"""Precision of last_used_at: a key that is used all the time costs one write in this time."""

SELECT = """
SELECT k.id, k.key_id, k.scopes, {created_at}, {expires_at},
       CASE WHEN k.last_used_at IS NULL OR k.last_used_at <= %(used_before)s THEN 1 ELSE 0 END,
       u.id, u.email, u.username, CASE WHEN u.email_verified_at IS NULL THEN 0 ELSE 1 END,
       a.client_id,
       COALESCE(CASE WHEN k.scopes = '' THEN '' WHEN a.id IS NULL THEN (
           SELECT {names} FROM latchkey_user_role AS mine
             JOIN latchkey_role_scopes AS given ON given.role_id = mine.role_id
             JOIN latchkey_scope AS s ON s.id = given.scope_id
            WHERE mine.user_id = u.id) ELSE (
           SELECT {names} FROM latchkey_application_scopes AS given JOIN latchkey_scope AS s ON s.id = given.scope_id
            WHERE given.application_id = a.id) END, '')
  FROM latchkey_api_key AS k
  LEFT JOIN latchkey_user AS u ON u.id = k.user_id AND u.is_active
  LEFT JOIN latchkey_application AS a ON a.id = k.application_id AND a.is_active
 WHERE k.digest = %(digest)s AND (k.expires_at IS NULL OR k.expires_at > %(now)s)
   AND (u.id IS NOT NULL OR a.id IS NOT NULL)
"""
TOUCH = """
UPDATE latchkey_api_key SET last_used_at = %(now)s WHERE id IN (
       SELECT id FROM latchkey_api_key
        WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at <= %(used_before)s){skip_locked})
"""
_DIALECTS = {
    "postgresql": {
        "created_at": "CAST(floor(extract(epoch FROM k.created_at)) AS bigint)",
        "expires_at": "CAST(floor(extract(epoch FROM k.expires_at)) AS bigint)",
        "names": "string_agg(s.name, ' ')",
        "skip_locked": " FOR UPDATE SKIP LOCKED",
    },
    "sqlite": {
        "created_at": "CAST(strftime('%%s', k.created_at) AS integer)",
        "expires_at": "CAST(strftime('%%s', k.expires_at) AS integer)",
        "names": "group_concat(s.name, ' ')",
        "skip_locked": "",
    },
}


class KeyUser(NamedTuple):
    """The person whom a key belongs to. email_verified is 1 or 0."""

    id: int
    email: str
    username: str
    email_verified: int


class VerifiedKey(NamedTuple):
    """An API key in force: of a person, or of an application. Times are Unix seconds; scopes are also its owner's."""

    key_id: str
    scopes: frozenset[str]
    created_at: int
    expires_at: int | None
    user: KeyUser | None
    client_id: str


def verify_key(presented: str, client: ClientInfo | None = None) -> VerifiedKey:
    """Return the key if it is in force, and note that it was used; raises InvalidToken.

    Made-up keys of one client are limited where the client is known: raises TooManyAttempts.
    """
    now = clock.now()
    rows = _select(presented, now) if is_well_formed(presented) else []
    if not rows:
        if client is not None:
            record(Event.API_KEY_REFUSED, client)
            count_invalid_token(client, "api_key")
        raise InvalidToken
    row_id, key_id, scopes, created_at, expires_at, is_due, *person, client_id, owned = rows[0]
    if is_due:
        _touch(row_id, now)
    user = None if person[0] is None else KeyUser(*person)
    granted = frozenset(scopes.split()) & frozenset(owned.split())
    return VerifiedKey(key_id, granted, created_at, expires_at, user, client_id or "")


def _select(presented: str, now: datetime) -> list[tuple[Any, ...]]:
    sql = SELECT.format(**_DIALECTS[connection.vendor])
    return fetch_all(sql, {"digest": digest(presented), **_times(now)})


class _Pause:
    """Until when this process writes no last_used_at, because the database refused it: a monotonic clock's seconds."""

    until = 0.0


def _touch(row_id: int, now: datetime) -> None:
    """Store that a key is used now, unless another request has done so within LAST_USED_STEP, or is doing it.

    A database that is read-only, or does not answer, must not refuse a valid key: then nothing is stored, and this
    process tries no other key either for LAST_USED_STEP, as each try may take as long as a lock is waited for.
    """
    if time.monotonic() < _Pause.until:
        return
    sql = TOUCH.format(**_DIALECTS[connection.vendor])
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():  # a failure must not abort it
            fetch_all(sql, {"id": row_id, **_times(now)})
    except Error as error:
        _Pause.until = time.monotonic() + LAST_USED_STEP.total_seconds()
        log.warning("api_key.last_use_not_stored", error=type(error).__name__)
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _times(now: datetime) -> dict[str, Any]:
    adapted = connection.ops.adapt_datetimefield_value
    return {"now": adapted(now), "used_before": adapted(now - LAST_USED_STEP)}
