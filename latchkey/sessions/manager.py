"""The statements of the session engine: what the ORM cannot say in one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q

from latchkey.core.cursor import fetch
from latchkey.sessions.statements import BEARER, MAKE_ROOM, OPEN, rotation, worded

if TYPE_CHECKING:
    from latchkey.sessions.models import Session


@dataclass(frozen=True, slots=True)
class Rotated:
    """The session that went one step on, and whose it is."""

    session_id: int
    user_id: int


class Bearer(NamedTuple):
    """Who is calling: all that is needed of the user for that, and for the user's own record."""

    id: int
    email: str
    username: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a session: the digest presented for it, and the two digests that it leaves behind (32 bytes each)."""

    selector: int
    presented: bytes
    digest: bytes
    next_digest: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """A session that is to begin, for whom, and until when: the columns of its row."""

    id: int
    selector: int
    digest: bytes
    next_digest: bytes
    user_id: int
    credential_version: int
    expires_at: datetime
    ip: str | None
    user_agent: str


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

    def open(self, opening: Opening, now: datetime, keep: int) -> bool:
        """Add the session, if what was proven still holds: its user may have changed while the password was hashed.

        Returns whether it does. The lock on the user holds off a deletion until the transaction is over. Of the
        user's others the ended ones go and, past the number to keep, the oldest live ones; the new one is spared by
        its id, as after the clock was set back it may look like the oldest.
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
            "ip": connection.ops.adapt_ipaddressfield_value(opening.ip),
            "user_agent": opening.user_agent,
            "keep": keep,
        }
        rows = fetch(worded(OPEN, connection.vendor), parameters)
        crowded = bool(rows) and rows[0][0]
        if crowded:
            fetch(MAKE_ROOM, parameters)
        return bool(rows)

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
        rows = rotation(connection.vendor).fetch(parameters)
        return Rotated(*rows[0]) if rows else None

    def bearer(self, session_id: int, now: datetime) -> "Bearer | None":
        """Return the user whose live session this is, None where it is none: one SELECT."""
        adapted = connection.ops.adapt_datetimefield_value
        rows = BEARER.fetch({"id": session_id, "now": adapted(now)})
        return Bearer(*rows[0]) if rows else None
