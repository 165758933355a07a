"""What goes into the statements of the session engine, and what comes out."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Bearer(NamedTuple):
    """Who is calling: all that is needed of the user for that, and for the user's own record."""

    id: int
    email: str
    username: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a session: the digest presented for it, and the two digests that it leaves behind (32 bytes each)."""

    selector: int
    presented: bytes
    digest: bytes
    next_digest: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """A session that is to begin, for whom, and until when: the columns of its row."""

    id: int
    selector: int
    digest: bytes
    next_digest: bytes
    user_id: int
    credential_version: int
    expires_at: datetime
