"""An intruder without the second factor."""

from collections.abc import Callable

import httpx
import pytest
import time_machine

from tests.sign_in.intruder import Intruder, break_in


@pytest.fixture(params=["app", "passkey"])
def intruder(
    request: pytest.FixtureRequest,
    clock: time_machine.Traveller,
    http: httpx.Client,
    set_policy: Callable[..., None],
) -> Intruder:
    """An intruder who tries an account with an authenticator app, and one with a passkey."""
    found = break_in(http, request.param)
    set_policy(second_factor="required")  # so that enrolment within a sign-in is open
    return found
