"""Sessions: one row per signed-in device, however long it lives and however often it refreshes."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q

from latchkey.core.client import USER_AGENT_LENGTH

_ROTATE = """
UPDATE latchkey_session AS s
   SET digest = %(digest)s, next_digest = %(next_digest)s, rotated_at = %(now)s, expires_at = {capped}
  FROM latchkey_user AS u
 WHERE s.selector = %(selector)s
   AND (s.digest = %(presented)s OR s.next_digest = %(presented)s)
   AND s.expires_at > %(now)s AND s.created_at > %(oldest)s
   AND u.id = s.user_id AND u.is_active AND u.credential_version = s.credential_version
RETURNING {returning}
"""
_DIALECTS = {  # capped: min(until, created_at + cap). SQLite has times as text, and its datetime() would round them
    "postgresql": {
        "capped": "LEAST(%(until)s, s.created_at + make_interval(secs => %(cap)s))",
        "returning": "s.id, s.user_id",
    },
    "sqlite": {
        "capped": """MIN(%(until)s, datetime(substr(s.created_at, 1, 19), %(cap)s || ' seconds')
                                    || substr(s.created_at, 20))""",
        "returning": "id, user_id",
    },
}


def random_id() -> int:
    """Return an id that tells nothing about how many sessions there are: 63 bits."""
    return secrets.randbits(63)


@dataclass(frozen=True, slots=True)
class Rotated:
    """The session that went one step on, and whose it is."""

    session_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a session: the digest presented for it, and the two digests that it leaves behind (32 bytes each)."""

    selector: int
    presented: bytes
    digest: bytes
    next_digest: bytes


class SessionManager(models.Manager["Session"]):
    def live(self, now: datetime) -> models.QuerySet["Session"]:
        """Return the sessions that still sign somebody in; the rest only await pruning."""
        return self.filter(expires_at__gt=now, user__is_active=True, user__credential_version=F("credential_version"))

    def ended(self, now: datetime) -> models.QuerySet["Session"]:
        """Return the sessions that await pruning: the complement of live()."""
        of_user = get_user_model().objects.filter(pk=OuterRef("user"), is_active=True)
        return self.filter(
            Q(expires_at__lte=now) | ~Exists(of_user.filter(credential_version=OuterRef("credential_version")))
        )

    def rotate(self, step: Step, now: datetime, lifetime: timedelta, cap: timedelta) -> Rotated | None:
        """Take a session one step on, in one statement; None where the presented token is not its current one.

        Equal requests queue for the row, and each looks at the digests again once it has it: exactly one
        of them matches, without a transaction and without a lock of ours. The expiry moves to
        min(now + lifetime, created_at + cap). No indexed column changes, so that on PostgreSQL the new
        version of the row stays on its page (a heap-only update) and no index grows.
        """
        adapted = connection.ops.adapt_datetimefield_value
        parameters: dict[str, Any] = {
            "selector": step.selector,
            "presented": step.presented,
            "digest": step.digest,
            "next_digest": step.next_digest,
            "now": adapted(now),
            "until": adapted(now + lifetime),
            "oldest": adapted(now - cap),
            "cap": int(cap.total_seconds()),
        }
        with connection.cursor() as cursor:
            cursor.execute(_ROTATE.format(**_DIALECTS[connection.vendor]), parameters)
            row = cursor.fetchone()
        return Rotated(*row) if row else None


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
