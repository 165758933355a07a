"""What a node does with the ring before it serves."""

from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from latchkey.core import clock
from latchkey.signing_keys.models import PRIVATE_KEY_ENCRYPTION, SigningKey
from latchkey.signing_keys.rotation import rotate
from latchkey.signing_keys.schedule import State
from latchkey.tokens.access_token import ALGORITHM


def prepare_keys() -> None:
    """Bring the ring up to date with the settings of this node.

    Private keys that were encrypted under a former secret are encrypted anew: the last node that is given the new
    secret leaves none behind. The first key for the chosen algorithm is made; of nodes that start together one makes
    it. Raises ImproperlyConfigured where a key that is to sign cannot be decrypted.
    """
    _reencrypt()
    if settings.SIGNING_ALGORITHM == ALGORITHM:
        return
    now = clock.now()
    usable = SigningKey.objects.filter(algorithm=settings.SIGNING_ALGORITHM).exclude(retires_at__lte=now)
    if not usable.exists():
        with suppress(ImproperlyConfigured):  # another node was faster, or a key of the ring waits for its turn
            rotate(settings.SIGNING_ALGORITHM, now)
    if sentence := undecryptable_key_error(now):
        raise ImproperlyConfigured(sentence)


def undecryptable_key_error(now: datetime) -> str:
    """Return a sentence about the first key that is to sign and cannot be decrypted, '' where there is none."""
    for row in SigningKey.objects.order_by("number"):
        if (
            row.schedule.state(now) in (State.SIGNING, State.UPCOMING)
            and PRIVATE_KEY_ENCRYPTION.decrypt(bytes(row.private)) is None
        ):
            return (
                f"The signing key {row.kid} cannot be decrypted: add the secret key that it was made under to "
                "LATCHKEY_SECRET_KEY_FALLBACKS, or make another one with 'latchkey keys rotate --now'."
            )
    return ""


def _reencrypt() -> None:
    for row in SigningKey.objects.order_by("number"):
        sealed = bytes(row.private)
        private = None if PRIVATE_KEY_ENCRYPTION.is_current(sealed) else PRIVATE_KEY_ENCRYPTION.decrypt(sealed)
        if private is not None:
            SigningKey.objects.filter(pk=row.pk, private=sealed).update(private=PRIVATE_KEY_ENCRYPTION.encrypt(private))
