"""Signing keys at the start of a node: re-encrypt, create the first key, refuse to start without a usable one."""

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
    """Bring the signing keys in line with the settings of this node.

    Private keys that are encrypted with a fallback of the secret key are encrypted again with the current one. If there
    is no key for LATCHKEY_SIGNING_ALGORITHM, one is added; of several nodes that start together only one does that.
    Raises ImproperlyConfigured if a key that signs now or next cannot be decrypted.
    """
    _reencrypt()
    if settings.SIGNING_ALGORITHM == ALGORITHM:
        return
    now = clock.now()
    usable = SigningKey.objects.filter(algorithm=settings.SIGNING_ALGORITHM).exclude(retires_at__lte=now)
    if not usable.exists():
        with suppress(ImproperlyConfigured):  # another node added it first, or a key of another algorithm is upcoming
            rotate(settings.SIGNING_ALGORITHM, now)
    if sentence := undecryptable_key_error(now):
        raise ImproperlyConfigured(sentence)


def undecryptable_key_error(now: datetime) -> str:
    """Return the error message for the first key that signs now or next and cannot be decrypted, or ''."""
    for row in SigningKey.objects.order_by("number"):
        if (
            row.schedule.state(now) in (State.SIGNING, State.UPCOMING)
            and PRIVATE_KEY_ENCRYPTION.decrypt(bytes(row.private)) is None
        ):
            return (
                f"The signing key {row.kid} cannot be decrypted: add the secret key that it was created with to "
                "LATCHKEY_SECRET_KEY_FALLBACKS, or create another one with 'latchkey keys rotate --now'."
            )
    return ""


def _reencrypt() -> None:
    for row in SigningKey.objects.order_by("number"):
        old = bytes(row.private)
        private = None if PRIVATE_KEY_ENCRYPTION.is_current(old) else PRIVATE_KEY_ENCRYPTION.decrypt(old)
        if private is not None:
            SigningKey.objects.filter(pk=row.pk, private=old).update(private=PRIVATE_KEY_ENCRYPTION.encrypt(private))
