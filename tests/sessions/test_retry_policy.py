"""The policy of refresh tokens that are not current, as a table: no database and no clock."""

from datetime import UTC, datetime, timedelta

import pytest

from latchkey.accounts.models import User
from latchkey.conf.policy import Policy
from latchkey.sessions.models import Session
from latchkey.sessions.refresh import StaleToken, classify

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SUCCESSOR, OTHER = bytes(31) + b"1", bytes(31) + b"2"
"""Digests: of the successor of the presented token, and of any other token."""
SECOND = timedelta(seconds=1)


def stored(**columns: object) -> Session:
    """Return a session, not saved, whose token was rotated 3 seconds ago."""
    values = {
        "digest": SUCCESSOR,
        "created_at": NOW - timedelta(days=1),
        "rotated_at": NOW - 3 * SECOND,
        "expires_at": NOW + timedelta(days=1),
        "credential_version": 1,
        "user": User(credential_version=1),
    }
    return Session(**values | columns)


def policy(window: int = 10, cap: timedelta = timedelta(days=180)) -> Policy:
    return Policy(retry_window=timedelta(seconds=window), session_lifetime_cap=cap)


TABLE = {
    "no session": (None, policy(), StaleToken.UNKNOWN),
    "expires now": (stored(expires_at=NOW), policy(), StaleToken.EXPIRED),
    "expires in a moment": (stored(expires_at=NOW + timedelta(microseconds=1)), policy(), StaleToken.RETRY),
    "as old as the cap": (stored(), policy(cap=timedelta(days=1)), StaleToken.EXPIRED),
    "younger than the cap": (stored(), policy(cap=timedelta(days=1, seconds=1)), StaleToken.RETRY),
    "inactive user": (stored(user=User(credential_version=1, is_active=False)), policy(), StaleToken.REVOKED),
    "signed out everywhere": (stored(user=User(credential_version=2)), policy(), StaleToken.REVOKED),
    "expired and revoked": (stored(expires_at=NOW, user=User(credential_version=2)), policy(), StaleToken.EXPIRED),
    "within the window": (stored(), policy(), StaleToken.RETRY),
    "in the last moment of the window": (stored(rotated_at=NOW - 10 * SECOND + SECOND / 2), policy(), StaleToken.RETRY),
    "at the end of the window": (stored(rotated_at=NOW - 10 * SECOND), policy(), StaleToken.REUSE),
    "window of zero": (stored(rotated_at=NOW), policy(window=0), StaleToken.REUSE),
    "window of zero, clock set back": (stored(rotated_at=NOW + SECOND), policy(window=0), StaleToken.REUSE),
    "clock set back by an hour": (stored(rotated_at=NOW + timedelta(hours=1)), policy(), StaleToken.RETRY),
    "successor was used": (stored(digest=OTHER), policy(), StaleToken.REUSE),
}


@pytest.mark.parametrize(("session", "rules", "expected"), TABLE.values(), ids=TABLE)
def test_classify_stale_refresh_token(session: Session | None, rules: Policy, expected: StaleToken) -> None:
    assert classify(session, [SUCCESSOR], NOW, rules) is expected


def test_classify_compares_the_successor_under_every_key() -> None:
    assert classify(stored(), [OTHER, SUCCESSOR], NOW, policy()) is StaleToken.RETRY
    assert classify(stored(), [OTHER], NOW, policy()) is StaleToken.REUSE
