"""Recovery codes: a person who lost the authenticator app or the passkey signs in with one of them, once each.

They are look-up secrets (NIST SP 800-63B-4 section 3.1.2): random, written down by the person, and stored here as keyed
digests. All functions run in the caller's transaction.
"""

import hmac

from latchkey.core.crypto import derive_keys
from latchkey.core.typed_codes import ALPHABET, generate_code, normalize_typed
from latchkey.factors.locking import lock_user
from latchkey.factors.models import RecoveryCode

COUNT = 10
"""Codes of a set."""

LOW = 3
"""As many codes or fewer are left, and the person is told to make new ones."""

LENGTH, GROUP = 10, 5
"""Characters of a code, and of a group of it: 50 random bits, and guessing is rate limited."""


def renew(user_id: int) -> list[str]:
    """Replace the user's codes by a new set, and return it: XXXXX-XXXXX each. Nothing else can show them again.

    The lock keeps two requests at once from leaving two sets.
    """
    lock_user(user_id)
    remove_all(user_id)
    codes = [generate_code(LENGTH, GROUP) for _ in range(COUNT)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user_id=user_id, digest=digests(user_id, code)[0]) for code in codes)
    return codes


def use_code(user_id: int, text: str) -> int | None:
    """Delete the code that was typed, and return how many are left; None if it is not a code of this user.

    One DELETE compares and consumes, so of any number of requests with one code one succeeds.
    """
    if not is_code(text):
        return None
    lock_user(user_id)
    deleted, _ = RecoveryCode.objects.filter(user_id=user_id, digest__in=digests(user_id, text)).delete()
    return count(user_id) if deleted else None


def count(user_id: int) -> int:
    """Return how many codes the user has left."""
    return RecoveryCode.objects.filter(user_id=user_id).count()


def remove_all(user_id: int) -> None:
    """Delete the user's codes."""
    RecoveryCode.objects.filter(user_id=user_id).delete()


def is_code(text: str) -> bool:
    """Return whether this could be a recovery code, as people type it: in small letters, without the hyphen."""
    typed = normalize_typed(text)
    return text.isascii() and len(typed) == LENGTH and set(typed) <= set(ALPHABET)


def digests(user_id: int, code: str) -> list[bytes]:
    """Return the code's digests under the current key and its fallbacks; digests differ per user.

    50 bits could be found by trying, so what protects a leaked table is the key, which is not in it.
    """
    text = f"{user_id}\0{normalize_typed(code)}".encode()
    return [hmac.digest(key, text, "sha256") for key in derive_keys("recovery codes")]
