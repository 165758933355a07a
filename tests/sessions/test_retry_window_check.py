"""System check latchkey.W003: a retry window that is long, compared with the lifetime of an access token."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command


@pytest.mark.parametrize(
    ("window", "lifetime", "is_long"), [(10, 30, False), (15, 30, False), (16, 30, True), (1, 1, True), (0, 1, False)]
)
def test_check_warns_about_a_retry_window_of_more_than_half_an_access_token_lifetime(
    set_policy: Callable[..., None], window: int, lifetime: int, is_long: bool
) -> None:
    set_policy(retry_window=timedelta(seconds=window), access_token_lifetime=timedelta(seconds=lifetime))
    printed = StringIO()
    call_command("check", databases=["default"], stderr=printed)
    assert ("latchkey.W003" in printed.getvalue()) is is_long
