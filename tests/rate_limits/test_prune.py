"""`latchkey prune` deletes counters of failed attempts that have decayed, and shortens no rate limit."""

from collections.abc import Callable
from datetime import timedelta

import time_machine

from latchkey.rate_limits.models import Attempt
from latchkey.rate_limits.prune import prune
from tests.people import PASSWORD, Person
from tests.support.login_attempts import fail_logins, try_password


def stored_rows() -> list[tuple[bool, bool]]:
    """Return the stored rows: whether each is for an account and for an IP address."""
    return sorted((bool(row.account), bool(row.address)) for row in Attempt.objects.all())


def test_prune_deletes_address_counters_after_a_day_and_account_counters_after_180_days(
    clock: time_machine.Traveller, alice: Person
) -> None:
    alice.login()
    addresses = [(False, True)] * 4  # of failed sign-ins, known devices, all sign-ins, and registrations
    assert stored_rows() == [*addresses, (True, False), (True, True)]
    clock.shift(timedelta(days=1, seconds=1))
    assert sum(prune(batch=1)) == 4
    assert stored_rows() == [(True, False), (True, True)]
    clock.shift(timedelta(days=180))
    assert sum(prune()) == 2


def test_prune_keeps_a_locked_account_locked(
    mallory: Person, set_policy: Callable[..., None], clock: time_machine.Traveller
) -> None:
    set_policy(failures_per_account=2, failures_per_address=1_000)
    for _ in range(100):
        fail_logins(mallory, 1)
        clock.shift(timedelta(hours=1))
    set_policy(failures_per_account=100)
    clock.shift(timedelta(hours=22))
    list(prune())
    assert (True, False) in stored_rows()
    assert try_password(mallory, PASSWORD).status_code == 429
    clock.shift(timedelta(hours=1))
    assert try_password(mallory, PASSWORD).status_code == 200
