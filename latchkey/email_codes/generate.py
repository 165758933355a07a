"""The two secrets of a mail: a token in a link, and a code to type. The database holds digests of them alone."""

import hmac
import secrets

from latchkey.core.crypto import derive_keys
from latchkey.email_codes.models import Purpose

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32: no I, L, O and U, so that nothing looks like another, and no word comes about by chance."""
CODE_LENGTH, GROUP_LENGTH = 8, 4
"""Characters of a code: 40 random bits, of which a guesser has a few tries (see find.py)."""
TOKEN_BYTES = 32
"""Of a token: 256 random bits, which need no limit on guessing."""

_DECODE_MAP = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def generate_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def generate_code() -> str:
    """Return a code in groups, as people read it out: 7K3M-9QRT."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return f"{drawn[:GROUP_LENGTH]}-{drawn[GROUP_LENGTH:]}"


def normalize_typed(code: str) -> str:
    """Return what was meant, however it was typed: in small letters, without the hyphen, with an O for a zero."""
    return code.upper().translate(_DECODE_MAP)


def token_digests(purpose: Purpose, token: str) -> list[bytes]:
    """Return the digests under the current key and its fallbacks; of another purpose they are others."""
    return _digests("token", purpose, token)


def code_digests(purpose: Purpose, email: str, code: str) -> list[bytes]:
    """Return the digests under the current key and its fallbacks; of another purpose or account they are others.

    A code alone is short enough to be tried out, so what keeps a leaked table shut is the key, which is not in it.
    """
    return _digests("code", purpose, email, normalize_typed(code))


def _digests(*parts: str) -> list[bytes]:
    return [hmac.digest(key, "\0".join(parts).encode(), "sha256") for key in derive_keys("codes")]
