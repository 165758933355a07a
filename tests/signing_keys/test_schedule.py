"""latchkey.signing_keys.schedule: the states of a signing key at a given time."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.conf.policy import Policy
from latchkey.signing_keys.schedule import (
    JWKS_MAX_AGE,
    MAX_CLOCK_SKEW,
    PREPUBLISH,
    VERIFY_GRACE,
    KeySchedule,
    State,
    select_signing_key,
)
from latchkey.tokens.access_token import CLOCK_SKEW

NOW = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MINUTES = st.integers(-600, 600).map(lambda minutes: NOW + timedelta(minutes=minutes))


@dataclass(frozen=True)
class NamedKey:
    name: str
    schedule: KeySchedule


def test_signing_key_changes_state_at_the_exact_scheduled_times() -> None:
    span = KeySchedule(NOW, NOW + timedelta(days=1), NOW + timedelta(days=2))
    at = {
        NOW - MICROSECOND: State.UPCOMING,
        NOW: State.SIGNING,
        NOW + timedelta(days=1) - MICROSECOND: State.SIGNING,
        NOW + timedelta(days=1): State.RETIRING,
        NOW + timedelta(days=2) - MICROSECOND: State.RETIRING,
        NOW + timedelta(days=2): State.RETIRED,
    }
    assert {moment: span.state(moment) for moment in at} == at


def test_signing_key_without_retirement_signs_without_end() -> None:
    assert KeySchedule(NOW).state(NOW + timedelta(days=36500)) == State.SIGNING


def test_signing_key_retired_before_its_start_never_signs() -> None:
    span = KeySchedule(NOW + timedelta(minutes=10), NOW, NOW + timedelta(hours=1))
    assert {span.state(NOW + timedelta(minutes=minutes)) for minutes in range(59)} == {State.RETIRING}


@given(MINUTES, MINUTES, MINUTES, MINUTES)
def test_signing_key_never_returns_to_an_earlier_state(
    began: datetime, a: datetime, b: datetime, asked: datetime
) -> None:
    span, order = KeySchedule(began, min(a, b), max(a, b)), list(State)
    later = asked + timedelta(minutes=1)
    assert order.index(span.state(asked)) <= order.index(span.state(later))


def test_select_signing_key_returns_the_key_that_started_last() -> None:
    old, new = NamedKey("old", KeySchedule(NOW - timedelta(days=1))), NamedKey("new", KeySchedule(NOW))
    assert select_signing_key([new, old], NOW) is select_signing_key([old, new], NOW) is new
    assert select_signing_key([old, new], NOW - MICROSECOND) is old


def test_select_signing_key_returns_the_next_upcoming_key_if_none_is_signing() -> None:
    retired = NamedKey(
        "retired", KeySchedule(NOW - timedelta(days=1), NOW - timedelta(minutes=1), NOW - timedelta(minutes=1))
    )
    first, second = (
        NamedKey("first", KeySchedule(NOW + timedelta(seconds=30))),
        NamedKey("second", KeySchedule(NOW + timedelta(days=1))),
    )
    assert select_signing_key([retired, second, first], NOW) is first
    assert select_signing_key([retired], NOW) is None
    assert select_signing_key([], NOW) is None


def test_signing_key_grace_periods_exceed_clock_skew_and_lifetimes() -> None:
    (lifetime,) = (setting for setting in fields(Policy) if setting.name == "access_token_lifetime")
    assert timedelta(seconds=2 * CLOCK_SKEW) <= MAX_CLOCK_SKEW
    assert lifetime.metadata["maximum"] + MAX_CLOCK_SKEW <= VERIFY_GRACE
    assert JWKS_MAX_AGE + MAX_CLOCK_SKEW < PREPUBLISH


@pytest.mark.parametrize("clock", [timedelta(seconds=30), -timedelta(seconds=30)])
def test_access_token_expires_before_its_signing_key_is_retired_despite_clock_skew(clock: timedelta) -> None:
    """A node signs at the last moment that its clock allows, with the longest lifetime that a token can have."""
    retires = NOW + clock
    span = KeySchedule(NOW - timedelta(days=1), retires, retires + VERIFY_GRACE)
    signed_at = retires - MICROSECOND
    assert span.state(signed_at) == State.SIGNING
    assert span.state(signed_at + timedelta(hours=1)) == State.RETIRING
