"""Whatever happens in whatever order, sessions do as section 3 of the design says."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from pytest_django import Settings

from tests.model.session_machine import SessionMachine

FAST = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    database=None,
    derandomize=True,  # the same steps in every run, so that a red one is red again
    report_multiple_bugs=False,  # the first one is made small in seconds, all of them in minutes
    suppress_health_check=list(HealthCheck),
)
LONG = settings(FAST, max_examples=500, derandomize=False)


@pytest.fixture(autouse=True)
def cheap_steps(
    db: None, settings: Settings, caplog: pytest.LogCaptureFixture, set_policy: Callable[..., None]
) -> None:
    """Make a sign-in cost microseconds, and say nothing of it: what is looked at here is what comes after."""
    set_policy(failures_per_account=100, failures_per_address=100_000)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    caplog.set_level("CRITICAL", "latchkey.audit")


def test_sessions_do_as_the_design_says_whatever_happens(set_policy: Callable[..., None]) -> None:
    run_state_machine_as_test(lambda: SessionMachine(set_policy), settings=FAST)


@pytest.mark.race
def test_sessions_do_as_the_design_says_for_a_long_time(set_policy: Callable[..., None]) -> None:
    run_state_machine_as_test(lambda: SessionMachine(set_policy), settings=LONG)
