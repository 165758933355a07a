"""The policy of refresh tokens that are not current, as a table: no database and no clock."""

from datetime import UTC, datetime, timedelta

import pytest

from latchkey.accounts.models import User
from latchkey.conf.policy import Policy
from latchkey.sessions.models import Session
from latchkey.sessions.refresh import MAX_SKEW, Digests, StaleToken, classify

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SUCCESSOR, OTHER, KEY = bytes(31) + b"1", bytes(31) + b"2", bytes(31) + b"3"
"""Digests: of the successor of the presented token, of any other token, and of the client's Idempotency-Key."""
SECOND = timedelta(seconds=1)


def stored(**columns: object) -> Session:
    """Return a session, not saved, whose token was rotated 3 seconds ago."""
    values = {
        "digest": SUCCESSOR,
        "retry_digest": b"",
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
    "clock set back by a minute": (stored(rotated_at=NOW + MAX_SKEW), policy(), StaleToken.RETRY),
    "clock set back by more": (stored(rotated_at=NOW + MAX_SKEW + SECOND / 2), policy(), StaleToken.REUSE),
    "clock set back by an hour": (stored(rotated_at=NOW + timedelta(hours=1)), policy(), StaleToken.REUSE),
    "successor was used": (stored(digest=OTHER), policy(), StaleToken.REUSE),
}


@pytest.mark.parametrize(("session", "rules", "expected"), TABLE.values(), ids=TABLE)
def test_classify_stale_refresh_token(session: Session | None, rules: Policy, expected: StaleToken) -> None:
    assert classify(session, Digests([SUCCESSOR], [b""]), NOW, rules) is expected


def test_classify_compares_the_successor_under_every_key() -> None:
    assert classify(stored(), Digests([OTHER, SUCCESSOR]), NOW, policy()) is StaleToken.RETRY
    assert classify(stored(), Digests([OTHER]), NOW, policy()) is StaleToken.REUSE


LONG_AGO = NOW - timedelta(days=20)
WITH_KEY = {"retry_digest": KEY, "rotated_at": LONG_AGO}
KEYS = {
    "the same key, 20 days later": (stored(**WITH_KEY), [KEY], policy(), StaleToken.RETRY),
    "the same key under a former secret key": (stored(**WITH_KEY), [OTHER, KEY], policy(), StaleToken.RETRY),
    "the same key, window of zero": (stored(**WITH_KEY), [KEY], policy(window=0), StaleToken.RETRY),
    "the same key, clock set back": (
        stored(**WITH_KEY | {"rotated_at": NOW + timedelta(days=1)}),
        [KEY],
        policy(),
        StaleToken.RETRY,
    ),
    "the same key, successor was used": (stored(**WITH_KEY, digest=OTHER), [KEY], policy(), StaleToken.REUSE),
    "the same key, expired session": (stored(**WITH_KEY, expires_at=NOW), [KEY], policy(), StaleToken.EXPIRED),
    "the same key, inactive user": (
        stored(**WITH_KEY, user=User(credential_version=1, is_active=False)),
        [KEY],
        policy(),
        StaleToken.REVOKED,
    ),
    "another key": (stored(**WITH_KEY), [OTHER], policy(), StaleToken.REUSE),
    "another key in the window": (stored(retry_digest=KEY), [OTHER], policy(), StaleToken.RETRY),
    "no key, where the refresh had a key": (stored(**WITH_KEY), [b""], policy(), StaleToken.REUSE),
    "a key, where the refresh had none": (stored(rotated_at=LONG_AGO), [KEY], policy(), StaleToken.REUSE),
    "no key, where the refresh had none": (stored(rotated_at=LONG_AGO), [b""], policy(), StaleToken.REUSE),
}


@pytest.mark.parametrize(("session", "retries", "rules", "expected"), KEYS.values(), ids=KEYS)
def test_classify_with_an_idempotency_key(
    session: Session, retries: list[bytes], rules: Policy, expected: StaleToken
) -> None:
    assert classify(session, Digests([SUCCESSOR], retries), NOW, rules) is expected


@pytest.mark.parametrize(
    ("rotated", "unanswered", "expected"),
    [
        (39.5, 30, StaleToken.RETRY),
        (40, 30, StaleToken.REUSE),
        (10, 0.5, StaleToken.RETRY),
        (3, 30, StaleToken.RETRY),
    ],
)
def test_retry_window_stands_still_while_the_database_does_not_answer(
    rotated: float, unanswered: float, expected: StaleToken
) -> None:
    session = stored(rotated_at=NOW - timedelta(seconds=rotated))
    assert classify(session, Digests([SUCCESSOR]), NOW, policy(), timedelta(seconds=unanswered)) is expected
    assert classify(session, Digests([SUCCESSOR]), NOW, policy(window=0), timedelta(hours=1)) is StaleToken.REUSE
