"""The statements of the session engine: what the ORM cannot say in one.

Sessions: one row per signed-in device, however long it lives and however often it refreshes.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q

from latchkey.audit.events import Event
from latchkey.audit.log import execute_and_persist, record
from latchkey.core.client import USER_AGENT_LENGTH, ClientInfo
from latchkey.db.cursor import fetch_all
from latchkey.db.prepared import Query
from latchkey.sessions.sql import (
    DELETE_SURPLUS,
    INSERT_SESSION,
    SELECT_SESSION_USER,
    RotationValues,
    SessionValues,
    for_vendor,
    rotate_statement,
)


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


ID_BITS = 63


def random_id() -> int:
    """Return an id that tells nothing about how many sessions there are."""
    return secrets.randbits(ID_BITS)


class Session(models.Model):
    """A signed-in device. The row is there exactly while the session is live or awaits pruning.

    digest is that of the current refresh token. next_digest is that of its successor: after a fail-over
    to a replica which missed the last rotation, clients come with that one, and it proves them honest.
    """

    id = models.BigIntegerField(primary_key=True, default=random_id, editable=False)
    selector = models.BigIntegerField(unique=True, editable=False)
    digest = models.BinaryField(max_length=32)
    next_digest = models.BinaryField(max_length=32)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions", editable=False
    )
    credential_version = models.PositiveIntegerField(editable=False)
    created_at = models.DateTimeField("signed in", editable=False)
    rotated_at = models.DateTimeField("last refreshed", editable=False)
    expires_at = models.DateTimeField("ends", editable=False)
    ip = models.GenericIPAddressField("address", null=True, editable=False)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True, editable=False)

    objects: ClassVar[SessionManager] = SessionManager()

    class Meta:
        app_label = "latchkey"

    def __str__(self) -> str:
        return f"session {self.pk}"
