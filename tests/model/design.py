"""The reference model of sessions in plain Python: which sessions are live, and what each call must return.

It is written from the design alone, without a database, HTTP or code of the service, so that an error in the service
is not repeated here. Decided here, as the design leaves it open:
- What ends a session for good is the deletion of its row or a raised credential version. Expiry is no event
  but a comparison with the clock and the cap in force, and nothing is written when it is found: a session that
  nobody has pruned lives again if the clock is set back or the cap is raised.
- A clock that was set back after a rotation makes its window wider, by as much, up to a minute: clocks of nodes
  differ, and an honest client that lost the answer is not to be signed out for it. A clock that was set back by more
  ends the window. A window of zero is no window, and nothing makes it wider: the help text says "never".
- A retry with the Idempotency-Key of the refresh that it repeats is answered whatever the clock says, also where the
  window is zero, until the successor is used.
- A changed lifetime reaches a session at its next refresh. A lowered cap reaches the next refresh too, while
  access tokens, which end by themselves, go by the expiry that stands in the row.
- The session that a sign-in has just opened is never "the oldest", whatever the clock did before.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

VERIFIER = (1 << 62) - 1
MAX_SKEW = timedelta(minutes=1)  # how far in the future a rotation may be whose retry is answered
CLOCK_SKEW = timedelta(seconds=30)  # how far in the future an access token may have been issued


@dataclass
class ModelPolicy:
    access_token_lifetime: timedelta = timedelta(seconds=30)
    refresh_token_lifetime: timedelta = timedelta(days=30)
    retry_window: timedelta = timedelta(seconds=10)
    session_lifetime_cap: timedelta = timedelta(days=180)
    sessions_per_user: int = 100


@dataclass(eq=False, repr=False)
class Account:
    email: str
    id: int
    password: str
    active: bool = True
    exists: bool = True

    def __repr__(self) -> str:
        return self.email.partition("@")[0]


@dataclass(frozen=True)
class Row:
    """The session row after a rotation: the position of the stored token in the chain, two times, and the key sent."""

    position: int
    rotated_at: datetime
    expires_at: datetime
    key: str = ""


@dataclass(eq=False, repr=False)
class Device:
    """A session: all its tokens, oldest first, and its row after each rotation, newest last."""

    owner: Account
    id: int
    created_at: datetime
    chain: list[UUID]
    rows: list[Row]
    deleted: bool = False
    revoked: bool = False

    @property
    def row(self) -> Row:
        return self.rows[-1]

    def __repr__(self) -> str:
        return f"{self.owner!r}'s, opened {self.created_at:%H:%M:%S}, at {self.row.position} of {len(self.chain) - 1}"


@dataclass(frozen=True)
class IssuedAccessToken:
    """An access token with its expected session and validity."""

    device: Device
    issued_at: datetime
    expires_at: datetime
    secret: str = field(repr=False)


class Design:
    def __init__(self, key: bytes, now: datetime) -> None:
        self.key, self.now, self.policy = key, now, ModelPolicy()
        self.devices: list[Device] = []

    def digest(self, token: UUID) -> bytes:
        return hmac.digest(self.key, b"\x01" + token.bytes, "sha256")

    def successor(self, token: UUID) -> UUID:
        drawn = int.from_bytes(hmac.digest(self.key, b"\x02" + token.bytes, "sha256")[:8], "big")
        return UUID(int=token.int & ~VERIFIER | drawn & VERIFIER)

    def find_device(self, token: UUID) -> Device | None:
        """Find the stored session by the token's selector, which is all bits but the verifier."""
        stored = (device for device in self.devices if not device.deleted)
        return next((device for device in stored if device.chain[0].int >> 62 == token.int >> 62), None)

    def stored(self) -> list[Device]:
        return [device for device in self.devices if not device.deleted]

    def live(self) -> list[Device]:
        now = self.now
        return [d for d in self.stored() if not d.revoked and d.owner.active and now < d.row.expires_at]

    def accepts_password(self, account: Account, password: str) -> bool:
        return account.exists and account.active and password == account.password

    def login(self, account: Account, session_id: int, token: UUID) -> Device:
        """Open a session, then drop the owner's ended ones and, past the cap, the oldest."""
        until = self.now + min(self.policy.refresh_token_lifetime, self.policy.session_lifetime_cap)
        opened = Device(account, session_id, self.now, [token], [Row(0, self.now, until)])
        others = [device for device in self.live() if device.owner is account]
        others.sort(key=lambda device: device.created_at, reverse=True)
        kept = others[: self.policy.sessions_per_user - 1]
        for device in self.stored():
            device.deleted = device.owner is account and device not in kept
        self.devices.append(opened)
        return opened

    def refresh(self, token: UUID, key: str = "") -> UUID | None:
        """Return the token that refresh must return, None if it must refuse."""
        device = self.find_device(token)
        if device is None or device not in self.live():
            return None
        if device.created_at + self.policy.session_lifetime_cap <= self.now:
            return None
        ahead = device.chain.index(token) - device.row.position if token in device.chain else None
        if ahead in (0, 1):
            return self._rotate(device, device.row.position + ahead + 1, key)
        window, elapsed = self.policy.retry_window, self.now - device.row.rotated_at
        in_window = window and -MAX_SKEW <= elapsed < window
        if ahead == -1 and (in_window or (key and key == device.row.key)):
            return device.chain[device.row.position]
        device.deleted = True
        return None

    def _rotate(self, device: Device, place: int, key: str) -> UUID:
        if place == len(device.chain):
            device.chain.append(self.successor(device.chain[-1]))
        until = self.now + self.policy.refresh_token_lifetime
        capped = device.created_at + self.policy.session_lifetime_cap
        device.rows.append(Row(place, self.now, min(until, capped), key))
        return device.chain[place]

    def revoke(self, account: Account) -> None:
        """Raise the account's credential version."""
        for device in self.devices:
            device.revoked = device.revoked or device.owner is account

    def delete(self, account: Account) -> None:
        account.exists = False
        for device in self.devices:
            device.deleted = device.deleted or device.owner is account

    def prune(self) -> None:
        for device in self.devices:
            device.deleted = device not in self.live()

    def accepts_access_token(self, access: IssuedAccessToken) -> bool:
        return access.device in self.live() and access.issued_at - CLOCK_SKEW <= self.now < access.expires_at
