"""References in mailed links: whose link it was, when the row of its token is gone.

A used link is opened again all the time: by people who look into the mail next week, and by programs that follow links.
Then a page has to tell "already confirmed" from "expired", and the row that would say so was deleted with its use. So a
link names its account beside its token, with a keyed digest over both and the address. Only a person who received the
mail has such a pair, so what a page says about it tells nobody else who has an account. It allows nothing.
"""

import base64
import hmac
import struct

from latchkey.accounts.models import User
from latchkey.core.crypto import derive_keys
from latchkey.email_codes.models import Purpose

_ID = struct.Struct(">q")
DIGEST_BYTES = 13
"""Bytes of a digest: nothing is gained by guessing one, and the link stays short."""

REFERENCE_LENGTH = 28
"""Characters of a reference: 8 bytes of the id and the digest in base64."""


def build_reference(purpose: Purpose, token: str, user_id: int, email: str) -> str:
    """Return the reference of a link: the account's id, and a digest over it, the token and the address."""
    return base64.urlsafe_b64encode(
        _ID.pack(user_id) + _digests(purpose, token, user_id, email)[0][:DIGEST_BYTES]
    ).decode()


def find_account(purpose: Purpose, token: str, reference: str) -> User | None:
    """Return the active account that this link was sent for, while it has the address that the link was sent to."""
    if not (reference.isascii() and len(reference) == REFERENCE_LENGTH):
        return None
    try:
        decoded = base64.b64decode(reference, altchars=b"-_", validate=True)
    except ValueError:
        return None
    (user_id,) = _ID.unpack(decoded[: _ID.size])
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    known = _digests(purpose, token, user_id, user.email)
    sent = decoded[_ID.size :]
    return user if any(hmac.compare_digest(digest[:DIGEST_BYTES], sent) for digest in known) else None


def _digests(purpose: Purpose, token: str, user_id: int, email: str) -> list[bytes]:
    text = "\0".join(("link", purpose, token, str(user_id), email)).encode(errors="replace")
    return [hmac.digest(key, text, "sha256") for key in derive_keys("codes")]
