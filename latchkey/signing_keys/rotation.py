"""Put a new key into the ring; it takes over from the one that signs.

Take a key out of the ring before its time.
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
    """A new key, when it signs, and the key that it takes over from: None where there was none."""

    kid: str
    signs_from: datetime
    previous: str | None


def rotate(algorithm: str, now: datetime, immediately: bool = False) -> Rotation:
    """Make a key that signs in ten minutes, or within two seconds; it is published now.

    The keys before it go on verifying for as long as tokens of theirs can live, so nobody's token is refused. The
    first key of all signs at once: nobody holds a copy of the published keys that it could be missing from.
    Raises ImproperlyConfigured where a key waits for its turn already, or somebody else has just added one.
    """
    rows = list(SigningKey.objects.order_by("number"))
    waiting = [row for row in rows if row.schedule.state(now) == State.UPCOMING]
    if waiting and not immediately:
        raise ImproperlyConfigured(
            f"The key {waiting[0].kid} is published already and signs from {waiting[0].signs_from:%Y-%m-%d %H:%M:%S} "
            "UTC; 'latchkey keys rotate --now' makes another one that signs at once."
        )
    former = select_signing_key(rows, now)
    signs_from = now + (PROPAGATION if immediately else PREPUBLISH) if former else now
    key = generate(algorithm)
    try:
        _append(key, rows[-1].number + 1 if rows else 1, now, signs_from)
    except IntegrityError as error:
        raise ImproperlyConfigured("Somebody else has just added a key; see 'latchkey keys list'.") from error
    reason = "first" if former is None else "at once" if immediately else None
    record(Event.KEY_ROTATED, key_id=key.kid, reason=reason)
    return Rotation(str(key.kid), signs_from, former.kid if former else None)


@transaction.atomic
def _append(key: Key, number: int, now: datetime, signs_from: datetime) -> None:
    """Add the key under a number that was free when the ring was looked at; raises IntegrityError where it is not."""
    replaced = SigningKey.objects.filter(Q(retires_at=None) | Q(retires_at__gt=signs_from))
    replaced.update(retires_at=signs_from, verifies_until=signs_from + VERIFY_GRACE)
    SigningKey.objects.filter(verifies_until__lte=now).update(private=b"")  # what signs no more need not be kept
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
    """Have the tokens of a key refused in every process within two seconds, and destroy its private half.

    Its end is set back by what clocks may differ, so that nodes whose clock is behind refuse it too. `needed` says
    that nodes sign with the ring, so that the key which signs, or is to sign next, must have a successor first.
    Raises ImproperlyConfigured where it has none, and for a key that is unknown or retired already.
    """
    rows = {row.kid: row for row in SigningKey.objects.all()}
    row = rows.get(kid)
    if row is None:
        raise ImproperlyConfigured(f"There is no signing key {kid!r}; 'latchkey keys list' shows those there are.")
    if row.schedule.state(now) == State.RETIRED:
        raise ImproperlyConfigured(f"The key {kid} is retired already.")
    if needed and (row.retires_at is None or select_signing_key(rows.values(), now) is row):
        raise ImproperlyConfigured(
            f"The key {kid} signs, or is to sign next; run 'latchkey keys rotate --now' first, and retire it then."
        )
    ended = now - MAX_CLOCK_SKEW
    SigningKey.objects.filter(pk=row.pk).update(retires_at=ended, verifies_until=ended, private=b"")
    record(Event.KEY_RETIRED, key_id=kid)
