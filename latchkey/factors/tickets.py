"""Tickets: one-time tokens between two requests that belong together, such as password and second factor.

A ticket is a row, and the row has its digest alone. Used tickets are deleted in the transaction of what they allow, so
a hundred parallel requests with one ticket open one session (artifact-keeper#1822), and a worker that dies in between
leaves the ticket or the session, never neither.
"""

import hmac
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.conf import settings
from django.db import connection, models

from latchkey.accounts.models import User
from latchkey.core.crypto import derive_keys
from latchkey.db.statements import fetch_all
from latchkey.tokens.authentication_methods import Proof

LIFETIME = timedelta(minutes=5)
MAX_ATTEMPTS = 5
"""Uses of a ticket, right or wrong; then it is dead (OWASP ASVS 6.6.3)."""

MAX_OPEN = 10
"""Open tickets of a user: a further one ends the oldest."""

TOKEN_BYTES = 32
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


class TicketPurpose(StrEnum):
    """The one thing that a ticket may be used for."""

    SECOND_FACTOR = "second_factor"
    ENROLMENT = "enrolment"
    PASSKEY_SIGN_IN = "passkey_sign_in"
    PASSKEY_REGISTRATION = "passkey_registration"
    STEP_UP = "step_up"


class Ticket(models.Model):
    """A ticket that was handed out: the keyed digest of its token (32 bytes), and what its holder has proved so far.

    user is null before anybody is known. credential_version is that of the user then: a ticket is dead as soon as the
    account has another. challenge is that of a WebAuthn ceremony, empty without one. failures counts uses.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.BinaryField(max_length=32, unique=True)
    purpose = models.CharField(max_length=24, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tickets", null=True, editable=False
    )
    credential_version = models.PositiveIntegerField(editable=False)
    proof = models.PositiveSmallIntegerField(editable=False)
    challenge = models.BinaryField(max_length=64)
    failures = models.PositiveSmallIntegerField(editable=False)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(editable=False)

    class Meta:
        app_label = "latchkey"
        indexes = (models.Index("expires_at", name="latchkey_ticket_expiry"),)

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"


class TicketState(NamedTuple):
    """A live ticket: its row's id, the user and the credential version, what was proved, and the challenge."""

    id: int
    user_id: int | None
    credential_version: int
    proof: Proof
    challenge: bytes

    def current_user(self) -> User | None:
        """Return the user with the columns of a sign-in; None if the account has changed since, or is inactive."""
        if self.user_id is None:
            return None
        users = User.objects.filter(pk=self.user_id, is_active=True, credential_version=self.credential_version)
        return users.first()


_COLUMNS = "id, user_id, credential_version, proof, challenge"
_LIVE = "digest IN ({digests}) AND purpose = %(purpose)s AND expires_at > %(now)s"
ATTEMPT = f"""
UPDATE latchkey_ticket SET failures = failures + 1
 WHERE {_LIVE} AND failures < %(max_attempts)s RETURNING {_COLUMNS}
"""  # noqa: S608 - names of ours
READ = f"SELECT {_COLUMNS} FROM latchkey_ticket WHERE {_LIVE} AND failures < %(max_attempts)s"  # noqa: S608 - names of ours
CONSUME = "DELETE FROM latchkey_ticket WHERE id = %(id)s RETURNING id"
CONSUME_BY_TOKEN = f"DELETE FROM latchkey_ticket WHERE {_LIVE} RETURNING {_COLUMNS}"  # noqa: S608 - names of ours
DELETE_SURPLUS = """
DELETE FROM latchkey_ticket WHERE user_id = %(user_id)s AND id NOT IN (
       SELECT id FROM latchkey_ticket WHERE user_id = %(user_id)s ORDER BY id DESC LIMIT CAST(%(keep)s AS integer))
"""


def issue_ticket(
    purpose: TicketPurpose,
    now: datetime,
    user: User | None = None,
    proof: Proof = Proof.NONE,
    challenge: bytes = b"",
) -> str:
    """Store a ticket that lives for LIFETIME, and return its token: 43 characters of base64url, 256 random bits."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    Ticket.objects.create(
        digest=_digests(token)[0],
        purpose=purpose.value,
        user=user,
        credential_version=user.credential_version if user else 0,
        proof=int(proof),
        challenge=challenge,
        failures=0,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    if user:
        fetch_all(DELETE_SURPLUS, {"user_id": user.pk, "keep": MAX_OPEN})
    return token


def read_ticket(token: str, purpose: TicketPurpose, now: datetime) -> TicketState | None:
    """Return the state of a ticket where nothing is compared, so that no use is counted; None as `attempt_ticket`."""
    return _state(_fetch(READ, token, purpose, now))


def attempt_ticket(token: str, purpose: TicketPurpose, now: datetime) -> TicketState | None:
    """Count a use of a ticket before anything is compared, and return its state; None for a dead or unknown one.

    The row lock serializes parallel uses, so no more than MAX_ATTEMPTS are ever compared.
    """
    rows = _fetch(ATTEMPT, token, purpose, now)
    return _state(rows)


def consume_ticket(state: TicketState) -> bool:
    """Delete a ticket in the caller's transaction; return False where another request was faster."""
    return bool(fetch_all(CONSUME, {"id": state.id}))


def take_ticket(token: str, purpose: TicketPurpose, now: datetime) -> TicketState | None:
    """Delete a ticket in the caller's transaction and return what it was; None for a dead or unknown one."""
    return _state(_fetch(CONSUME_BY_TOKEN, token, purpose, now))


def replace_challenge(state: TicketState, challenge: bytes) -> None:
    """Store the challenge of the next WebAuthn ceremony with a ticket, in the place of the last one."""
    Ticket.objects.filter(pk=state.id).update(challenge=challenge)


def take_challenge(state: TicketState) -> bytes:
    """Delete the challenge of a ticket and return it, empty where there is none or another request was faster."""
    owned = Ticket.objects.filter(pk=state.id, challenge=state.challenge)
    return state.challenge if state.challenge and owned.update(challenge=b"") else b""


def prune_tickets(now: datetime, batch: int = 1_000) -> Iterator[int]:
    """Delete expired tickets in batches, and yield the number of rows of each."""
    expired = Ticket.objects.filter(expires_at__lte=now)
    while ids := list(expired.order_by("expires_at").values_list("pk", flat=True)[:batch]):
        yield Ticket.objects.filter(pk__in=ids).delete()[0]


def _fetch(statement: str, token: str, purpose: TicketPurpose, now: datetime) -> list[tuple[object, ...]]:
    if not _FORM.fullmatch(token):
        return []
    digests = {f"digest{number}": digest for number, digest in enumerate(_digests(token))}
    named = {"purpose": purpose.value, "now": connection.ops.adapt_datetimefield_value(now)}
    sql = statement.replace("{digests}", ", ".join(f"%({name})s" for name in digests))
    return fetch_all(sql, {**digests, **named, "max_attempts": MAX_ATTEMPTS})


def _state(rows: list[tuple[object, ...]]) -> TicketState | None:
    for id_, user_id, version, proof, challenge in rows:
        return TicketState(id_, user_id, version, Proof(proof), bytes(challenge))  # type: ignore[arg-type,call-overload]
    return None


def _digests(token: str) -> list[bytes]:
    """Return the digest of a token under the key of today, and under those of fallbacks of the secret key."""
    return [hmac.digest(key, token.encode(), "sha256") for key in derive_keys("ticket")]
