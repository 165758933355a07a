"""System check latchkey.E010: the signing keys can be decrypted."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from latchkey.core import clock
from latchkey.signing_keys.startup import undecryptable_key_error
from latchkey.tokens.access_token import ALGORITHM


@register(Tags.security, deploy=True)
def signing_keys_decryptable(**kwargs: Any) -> list[CheckMessage]:
    """Report a key that signs now or next and cannot be decrypted; an unavailable database is not reported here."""
    if settings.SIGNING_ALGORITHM == ALGORITHM:
        return []
    try:
        sentence = undecryptable_key_error(clock.now())
    except DatabaseError:
        return []
    return [Error(sentence, id="latchkey.E010")] if sentence else []
