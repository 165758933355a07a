"""The statements of the session engine: what the ORM cannot say in one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q

if TYPE_CHECKING:
    from latchkey.sessions.models import Session

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
_OPEN = """
INSERT INTO latchkey_session (id, selector, digest, next_digest, user_id, credential_version,
                              created_at, rotated_at, expires_at, ip, user_agent)
SELECT %(id)s, %(selector)s, %(digest)s, %(next_digest)s, u.id, u.credential_version,
       %(created_at)s, %(rotated_at)s, %(expires_at)s, %(ip)s, %(user_agent)s
  FROM latchkey_user AS u
 WHERE u.id = %(user_id)s AND u.is_active AND u.credential_version = %(credential_version)s {lock}
RETURNING (SELECT count(*) >= %(keep)s
               OR count(CASE WHEN o.expires_at <= %(created_at)s OR o.credential_version <> %(credential_version)s
                             THEN 1 END) > 0
             FROM latchkey_session AS o WHERE o.user_id = %(user_id)s AND o.id <> %(id)s)
"""
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

    def open(self, session: "Session", keep: int) -> bool | None:
        """Add the session, if what was proven still holds: its user may have changed while the password was hashed.

        Returns None where it does not; else whether the user has sessions that must go: ended ones, or live ones
        past the number to keep. The lock on the user holds off a deletion until the transaction is over.
        """
        columns = session._meta.concrete_fields
        parameters = {
            column.attname: column.get_db_prep_save(getattr(session, column.attname), connection) for column in columns
        } | {"keep": keep}
        with connection.cursor() as cursor:
            cursor.execute(_OPEN.format(**_DIALECTS[connection.vendor]), parameters)
            row = cursor.fetchone()
        return bool(row[0]) if row else None

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
