"""A sign-in that was counted and then found no place in the hashing queue: neither a failure nor a success."""

import pytest

from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import TooManyAttempts
from latchkey.rate_limits.attempts import withdraw
from latchkey.rate_limits.models import Attempt
from latchkey.sign_in.login import charge_login

CLIENT = ClientInfo("192.0.2.1")
EMAIL = "alice@example.com"


def failures() -> list[int]:
    return list(Attempt.objects.order_by("pk").values_list("failures", flat=True))


def test_withdrawn_attempt_takes_one_failure_back_and_resets_nothing(db: None) -> None:
    for _ in range(3):
        charge_login(EMAIL, CLIENT)
    withdraw(charge_login(EMAIL, CLIENT))
    assert failures() == [3, 3, 3]  # of the account, the address and all sign-ins there: no known device


def test_withdrawn_attempt_ends_the_block_that_it_caused_and_no_other(db: None) -> None:
    for _ in range(9):
        charge_login(EMAIL, CLIENT)
    withdraw(charge_login(EMAIL, CLIENT))  # the tenth, which blocked the account
    tenth = charge_login(EMAIL, CLIENT)
    with pytest.raises(TooManyAttempts):
        charge_login(EMAIL, CLIENT)
    assert tenth.rows
