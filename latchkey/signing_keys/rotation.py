"""Key rotation: add a signing key that takes over from the current one, and retire a key before its time.

A new key is published before it signs, and the old one verifies until its last token has expired, so that no user and
no service notices a rotation. Retiring is for a key that leaked: its tokens are refused at once.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import Q

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.signing_keys.models import PRIVATE_KEY_ENCRYPTION, SigningKey
from latchkey.signing_keys.schedule import (
    MAX_CLOCK_SKEW,
    PREPUBLISH,
    PROPAGATION,
    VERIFY_GRACE,
    State,
    select_signing_key,
)
from latchkey.tokens.access_token import Key
from latchkey.tokens.jwk import generate, public_jwk, to_pkcs8


@dataclass(frozen=True, slots=True)
class Rotation:
    """Result of a rotation: the new key, when it starts to sign, and the key that it replaces (None for the first)."""

    kid: str
    signs_from: datetime
    previous: str | None


def rotate(algorithm: str, now: datetime, immediately: bool = False) -> Rotation:
    """Add a key that is published now and signs in 10 minutes, or with `immediately` in 2 seconds.

    Earlier keys verify for as long as their tokens can live, so that no valid token is refused. The very first key
    signs at once: nobody has a copy of the published keys without it. Raises ImproperlyConfigured if another key is
    already waiting to sign, or if another process has just added one.
    """
    rows = list(SigningKey.objects.order_by("number"))
    upcoming = [row for row in rows if row.schedule.state(now) == State.UPCOMING]
    if upcoming and not immediately:
        raise ImproperlyConfigured(
            f"The key {upcoming[0].kid} is already published and signs from {upcoming[0].signs_from:%Y-%m-%d %H:%M:%S} "
            "UTC; 'latchkey keys rotate --now' creates another one that signs at once."
        )
    previous = select_signing_key(rows, now)
    signs_from = now + (PROPAGATION if immediately else PREPUBLISH) if previous else now
    key = generate(algorithm)
    try:
        _append(key, rows[-1].number + 1 if rows else 1, now, signs_from)
    except IntegrityError as error:
        raise ImproperlyConfigured("Another process has just added a key; see 'latchkey keys list'.") from error
    reason = "first" if previous is None else "at once" if immediately else None
    record(Event.KEY_ROTATED, key_id=key.kid, reason=reason)
    return Rotation(str(key.kid), signs_from, previous.kid if previous else None)


@transaction.atomic
def _append(key: Key, number: int, now: datetime, signs_from: datetime) -> None:
    """Add the key, and end the schedule of the others; raises IntegrityError if the number is no longer free."""
    replaced = SigningKey.objects.filter(Q(retires_at=None) | Q(retires_at__gt=signs_from))
    replaced.update(retires_at=signs_from, verifies_until=signs_from + VERIFY_GRACE)
    SigningKey.objects.filter(verifies_until__lte=now).update(private=b"")  # a retired private key is not needed
    SigningKey.objects.create(
        number=number,
        kid=str(key.kid),
        algorithm=key.algorithm,
        public=json.dumps(public_jwk(key)),
        private=PRIVATE_KEY_ENCRYPTION.encrypt(to_pkcs8(key)),
        created_at=now,
        signs_from=signs_from,
    )


def retire(kid: str, now: datetime, needed: bool) -> None:
    """Refuse the tokens of a key in every process within 2 s, and delete its private key.

    Its end is dated back by the largest clock difference, so that nodes whose clock is behind refuse it too. `needed`
    means that nodes sign with these keys, so the key that signs now or next must be replaced first. Raises
    ImproperlyConfigured if it is not, and for a key that is unknown or already retired.
    """
    rows = {row.kid: row for row in SigningKey.objects.all()}
    row = rows.get(kid)
    if row is None:
        raise ImproperlyConfigured(f"There is no signing key {kid!r}; see 'latchkey keys list'.")
    if row.schedule.state(now) == State.RETIRED:
        raise ImproperlyConfigured(f"The key {kid} is already retired.")
    if needed and (row.retires_at is None or select_signing_key(rows.values(), now) is row):
        raise ImproperlyConfigured(
            f"The key {kid} signs now or next; run 'latchkey keys rotate --now' before you retire it."
        )
    ended = now - MAX_CLOCK_SKEW
    SigningKey.objects.filter(pk=row.pk).update(retires_at=ended, verifies_until=ended, private=b"")
    record(Event.KEY_RETIRED, key_id=kid)
