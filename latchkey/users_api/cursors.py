"""Cursors of the list of users: the position of a page, which only this service can make, and for one list alone.

A cursor holds the last user's created_at and id, and a digest over them and the filters. So it stays valid while users
are created and deleted, and nobody can begin a page in the middle of another list.
"""

import base64
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from latchkey.core.crypto import derive_keys
from latchkey.core.exceptions import InvalidInput

_POSITION = struct.Struct(">qq")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIGEST_BYTES = 16
CURSOR_LENGTH = 43
"""Characters of a cursor: 16 bytes of the position and the digest in base64url without padding."""

NO_CURSOR = {"cursor": ["This is no cursor of a list with these parameters; begin without one."]}


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the list of users, which is ordered by the time of creation and, at the same time, by id."""

    created_at: datetime
    user_id: int


def encode_cursor(position: Position, filters: str) -> str:
    """Return the cursor of a position in the list with these filters."""
    microseconds = (position.created_at - _EPOCH) // timedelta(microseconds=1)
    packed = _POSITION.pack(microseconds, position.user_id)
    return base64.urlsafe_b64encode(packed + _digests(packed, filters)[0]).decode().rstrip("=")


def decode_cursor(cursor: str, filters: str) -> Position:
    """Return the position of a cursor of the list with these filters; raises InvalidInput for any other text."""
    try:
        decoded = base64.b64decode(cursor + "=", altchars=b"-_", validate=True)
        canonical = base64.urlsafe_b64encode(decoded).decode().rstrip("=") == cursor
    except ValueError as error:
        raise InvalidInput(NO_CURSOR) from error
    packed, digest = decoded[: _POSITION.size], decoded[_POSITION.size :]
    known = any(hmac.compare_digest(digest, of_key) for of_key in _digests(packed, filters))
    if not (canonical and len(decoded) == _POSITION.size + DIGEST_BYTES and known):
        raise InvalidInput(NO_CURSOR)
    microseconds, user_id = _POSITION.unpack(packed)
    return Position(_EPOCH + timedelta(microseconds=microseconds), user_id)


def _digests(packed: bytes, filters: str) -> list[bytes]:
    return [hmac.digest(key, packed + filters.encode(), "sha256")[:DIGEST_BYTES] for key in derive_keys("cursors")]
