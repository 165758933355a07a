"""Cancellation by the link that is in every mail about a recovery: the owner did not ask for it, or found the factor.

The token of the link is a keyed digest of the recovery's id, so each day's mail has the same one, and no table has it.
It allows nothing else, and it also says that a recovery has ended already.
"""

import base64
import hmac
import struct
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction

from latchkey.core.client import ClientInfo
from latchkey.core.crypto import derive_keys
from latchkey.core.exceptions import InvalidCode
from latchkey.factors.delayed_recovery import FactorRecovery, cancel_recovery
from latchkey.factors.locking import lock_user
from latchkey.rate_limits.in_memory import count_invalid_token

PAGE = "/cancel-recovery/"
"""The page that the link leads to."""

_IDS = struct.Struct(">qq")
DIGEST_BYTES = 16
"""Bytes of a digest: 128 bits, as it cannot be tried without asking the server."""

TOKEN_LENGTH = 43
"""Characters of a token: 16 bytes of ids and the digest in base64, as long as those of other links."""


def cancel_link(recovery: FactorRecovery) -> str:
    """Return the link that cancels a recovery."""
    ids = _IDS.pack(recovery.pk, recovery.user_id)
    token = base64.urlsafe_b64encode(ids + _digests(ids)[0]).decode().rstrip("=")
    return f"{settings.PUBLIC_URL}{PAGE}?{urlencode({'token': token})}"


def find_recovery(token: str, client: ClientInfo) -> FactorRecovery | None:
    """Return the recovery of a link, None if it has ended; raises InvalidCode, or TooManyAttempts for made-up links."""
    ids = _ids(token)
    if ids is None:
        count_invalid_token(client, "code")
        raise InvalidCode
    recovery_id, user_id = ids
    return FactorRecovery.objects.filter(pk=recovery_id, user_id=user_id).select_related("user").first()


@transaction.atomic
def cancel_by_link(token: str, client: ClientInfo) -> bool:
    """Cancel the recovery of a link, and return whether it had not ended before; raises as `find_recovery`."""
    recovery = find_recovery(token, client)
    if recovery is None:
        return False
    lock_user(recovery.user_id)
    return find_recovery(token, client) is not None and cancel_recovery(recovery.user_id, "link", client)


def _ids(token: str) -> tuple[int, int] | None:
    """Return the ids of the recovery and of its user out of an authentic token, None for any other."""
    if not (token.isascii() and len(token) == TOKEN_LENGTH):
        return None
    try:
        decoded = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except ValueError:
        return None
    ids, sent = decoded[: _IDS.size], decoded[_IDS.size :]
    if not any(hmac.compare_digest(digest, sent) for digest in _digests(ids)):
        return None
    recovery_id, user_id = _IDS.unpack(ids)
    return recovery_id, user_id


def _digests(ids: bytes) -> list[bytes]:
    """Return the digests under the key of today, and under those of fallbacks of the secret key."""
    return [hmac.digest(key, ids, "sha256")[:DIGEST_BYTES] for key in derive_keys("cancel factor recovery")]
