"""The limit of all sign-ins of an IP address, right ones included: a flood with an own password ends in 429."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import TooManyAttempts
from latchkey.rate_limits.attempts import charge, refund, withdraw
from latchkey.rate_limits.keys import login_key
from latchkey.rate_limits.models import Attempt
from tests.fixtures.clients import ClientFactory
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.admin_pages import Browser
from tests.support.login_attempts import fail_logins, try_password

SHARED = "192.0.2.50"
CLIENT = ClientInfo(SHARED)
ALLOWED = 200


@pytest.fixture(autouse=True)
def low_address_limit(set_policy: Callable[..., None]) -> None:
    set_policy(failures_per_address=2)


@pytest.fixture
def here(alice: Person, from_address: ClientFactory) -> Person:
    return replace(alice, http=from_address(SHARED))


def sign_in(times: int, client: ClientInfo = CLIENT, email: str = "own@example.com") -> None:
    """Count this many sign-ins with the right password."""
    for _ in range(times):
        refund(charge(login_key(email, client), client))


@pytest.mark.ledger("ASVS-2.4.1", "ASVS-15.2.2", "CS-DOS-1")
def test_right_sign_ins_of_an_ip_address_are_limited_on_known_and_unknown_devices(
    here: Person, bob: Person, from_address: ClientFactory, clock: time_machine.Traveller
) -> None:
    assert try_password(here, PASSWORD).status_code == 200
    sign_in(ALLOWED - 2)
    assert try_password(here, PASSWORD).status_code == 200
    for person in (here, replace(bob, http=here.http)):
        answer = try_password(person, PASSWORD)
        assert_problem(answer, 429, "too_many_attempts")
        assert answer.headers["Retry-After"] == "30"
    assert try_password(replace(here, http=from_address("192.0.2.51")), PASSWORD).status_code == 200


def test_refused_sign_ins_of_a_known_device_change_no_counter(here: Person, clock: time_machine.Traveller) -> None:
    assert try_password(here, PASSWORD).status_code == 200
    sign_in(ALLOWED - 1)
    counters = list(Attempt.objects.order_by("pk").values())
    clock.shift(timedelta(seconds=29))
    assert [try_password(here, PASSWORD).status_code for _ in range(20)] == [429] * 20
    assert list(Attempt.objects.order_by("pk").values()) == counters
    clock.shift(timedelta(seconds=1))
    assert try_password(here, PASSWORD).status_code == 200


def test_wait_is_that_of_the_limit_that_ends_last(here: Person, clock: time_machine.Traveller) -> None:
    assert try_password(here, PASSWORD).status_code == 200
    for number in range(2):
        fail_logins(here, 1, f"nobody{number}@example.com")  # which blocks the address for 30 s
    clock.shift(timedelta(seconds=10))
    sign_in(ALLOWED - 3, email=here.email)  # on a known device, up to the limit of all sign-ins
    answer = try_password(here, email="nobody@example.com")
    assert_problem(answer, 429, "too_many_attempts")
    assert answer.headers["Retry-After"] == "30"


def test_limit_of_all_sign_ins_decays_by_its_allowance_in_an_hour(clock: time_machine.Traveller) -> None:
    sign_in(ALLOWED)
    clock.shift(timedelta(minutes=30))
    sign_in(ALLOWED // 2)
    with pytest.raises(TooManyAttempts):
        sign_in(1)


def test_wrong_passwords_count_as_sign_ins_too(here: Person, clock: time_machine.Traveller) -> None:
    sign_in(ALLOWED - 1)
    fail_logins(here, 1)
    assert try_password(here, PASSWORD).status_code == 429


def test_reauthentication_counts_as_a_sign_in(here: Person, clock: time_machine.Traveller) -> None:
    here.login()
    sign_in(ALLOWED - 2)
    body = {"password": PASSWORD, "email": "new@example.com"}
    assert here.http.post("/api/email/change/", json=body, headers=here.bearer()).status_code == 202
    assert try_password(here, PASSWORD).status_code == 429


def test_admin_sign_in_counts_as_a_sign_in(here: Person, clock: time_machine.Traveller) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    sign_in(ALLOWED - 1)
    form = {"username": here.email, "password": PASSWORD}
    assert Browser(REMOTE_ADDR=SHARED).post("/admin/login/", form).status_code == 302
    assert "Too many attempts" in Browser(REMOTE_ADDR=SHARED).post("/admin/login/", form).text


def test_sign_in_that_found_no_place_in_the_queue_is_not_counted(clock: time_machine.Traveller) -> None:
    sign_in(ALLOWED - 1)
    for _ in range(5):
        withdraw(charge(login_key("own@example.com", CLIENT), CLIENT))
    sign_in(1)
    with pytest.raises(TooManyAttempts):
        sign_in(1)


def test_right_sign_ins_of_clients_without_an_address_are_not_limited_together(clock: time_machine.Traveller) -> None:
    sign_in(ALLOWED + 1, ClientInfo(None))


def test_highest_setting_allows_the_sign_ins_of_an_hour_and_decays(
    set_policy: Callable[..., None], clock: time_machine.Traveller
) -> None:
    set_policy(failures_per_address=100_000)
    sign_in(20)
    clock.shift(timedelta(milliseconds=1))
    sign_in(20)
