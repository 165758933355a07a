"""Take a key out of the ring before its time."""

from datetime import datetime

from django.core.exceptions import ImproperlyConfigured

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.keys.models import SigningKey
from latchkey.keys.span import CLOCKS_APART, State, signer


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
    if row.span.state(now) == State.RETIRED:
        raise ImproperlyConfigured(f"The key {kid} is retired already.")
    if needed and (row.retires_at is None or signer(rows.values(), now) is row):
        raise ImproperlyConfigured(
            f"The key {kid} signs, or is to sign next; run 'latchkey keys rotate --now' first, and retire it then."
        )
    ended = now - CLOCKS_APART
    SigningKey.objects.filter(pk=row.pk).update(retires_at=ended, verifies_until=ended, private=b"")
    record(Event.KEY_RETIRED, key_id=kid)
