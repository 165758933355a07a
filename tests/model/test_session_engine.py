"""The session engine against the reference model, with random sequences of events (stateful property tests)."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.session_machine import SessionMachine

FAST = settings(
    stateful_step_count=50,
    deadline=None,
    database=None,
    derandomize=True,  # the same steps in every run, so that a failure is repeatable
    report_multiple_bugs=False,  # one failure is shrunk in seconds, all of them in minutes
    suppress_health_check=list(HealthCheck),
)
LONG = settings(FAST, max_examples=500, derandomize=False)


@pytest.fixture(autouse=True)
def cheap_steps(db: None, caplog: pytest.LogCaptureFixture, set_policy: Callable[..., None]) -> None:
    """Use high rate limits and no audit log: the tests are about sessions after sign-in."""
    set_policy(failures_per_account=100, failures_per_address=100_000)
    caplog.set_level("CRITICAL", "latchkey.audit")


def run_machine(set_policy: Callable[..., None], chosen: settings) -> None:
    factory: Any = lambda: SessionMachine(set_policy)  # noqa: E731 - Hypothesis takes any factory, its types only a class
    run_state_machine_as_test(factory, settings=chosen)


@pytest.mark.slow
def test_session_engine_matches_the_reference_model_for_any_sequence_of_events(set_policy: Callable[..., None]) -> None:
    run_machine(set_policy, FAST)


@pytest.mark.race
def test_session_engine_matches_the_reference_model_in_500_random_runs(set_policy: Callable[..., None]) -> None:
    run_machine(set_policy, LONG)
