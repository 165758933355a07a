"""Known devices: they go on where unknown ones are limited, and no answer tells which devices are known."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.core.client import ClientInfo
from latchkey.rate_limits.attempts import charge, refund
from latchkey.rate_limits.keys import login_key
from latchkey.rate_limits.models import Attempt
from tests.fixtures.clients import ClientFactory
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.admin_pages import Browser
from tests.support.login_attempts import WRONG_PASSWORD, fail_logins, try_password

FREE = 5
OFFICE = "192.0.2.50"


@pytest.fixture
def office(alice: Person, bob: Person, from_address: ClientFactory, set_policy: Callable[..., None]) -> Person:
    """Alice at an address that she shares with an attacker; bob never signed in there."""
    set_policy(failures_per_address=FREE)
    return replace(alice, http=from_address(OFFICE)).login()


def spray(person: Person, times: int = FREE) -> None:
    for number in range(times):
        try_password(person, email=f"nobody{number}@example.com")


@pytest.mark.ledger("H-ENUM-04", "CS-AUTH-2")
def test_wrong_password_at_a_limited_address_is_answered_alike_for_known_and_unknown_devices(
    office: Person, bob: Person
) -> None:
    spray(office)
    emails = (office.email, bob.email, "nobody@example.com")
    answers = [try_password(office, email=email) for email in emails * 2]
    for answer in answers:
        assert_problem(answer, 429, "too_many_attempts")
    assert len({(answer.content, answer.headers["Retry-After"]) for answer in answers}) == 1
    assert try_password(office, PASSWORD).status_code == 200
    assert try_password(replace(bob, http=office.http), PASSWORD).status_code == 429


@pytest.mark.ledger("H-ENUM-04")
@pytest.mark.parametrize("known", [True, False])
def test_failures_on_known_devices_count_for_their_address(office: Person, bob: Person, known: bool) -> None:
    guessed = office.email if known else bob.email
    answers = [try_password(office, email=f"nobody{number}@example.com").status_code for number in range(FREE - 1)]
    answers.append(try_password(office, email=guessed).status_code)
    answers.append(try_password(office, email="one.more@example.com").status_code)
    assert answers == [401] * FREE + [429]


@pytest.mark.ledger("H-ENUM-04")
def test_wrong_password_at_a_limited_account_is_answered_alike_on_known_and_unknown_devices(
    office: Person, mallory: Person, from_address: ClientFactory, set_policy: Callable[..., None]
) -> None:
    set_policy(failures_per_address=1000)
    fail_logins(mallory, 10)
    known = try_password(office)
    unknown = try_password(replace(office, http=from_address("192.0.2.51")))
    assert_problem(known, 429, "too_many_attempts")
    assert (known.content, known.headers["Retry-After"]) == (unknown.content, unknown.headers["Retry-After"])
    assert try_password(office, PASSWORD).status_code == 200


def test_known_device_is_limited_by_its_own_failures_behind_the_hidden_answers(office: Person) -> None:
    spray(office)
    for _ in range(10):
        assert try_password(office).status_code == 429
    assert try_password(office, PASSWORD).status_code == 429  # it is not compared any more
    assert Attempt.objects.get(account__gt="", address__gt="", failures=10).blocked_until > 0


@pytest.mark.ledger("H-RATE-01", "ASVS-2.4.1")
def test_all_known_devices_at_an_address_share_an_allowance_ten_times_as_large(
    office: Person, from_address: ClientFactory, set_policy: Callable[..., None], clock: time_machine.Traveller
) -> None:
    set_policy(failures_per_address=2)  # known devices: 20
    people = [replace(office, email=f"colleague{number}@example.com") for number in range(3)]
    for person in people:
        replace(person, http=from_address("192.0.2.60")).register()
        assert try_password(person, PASSWORD).status_code == 200  # known from here on
    for person in (*people, office):
        for _ in range(5):
            try_password(person)
    for person in (*people, office):
        assert_problem(try_password(person, PASSWORD), 429, "too_many_attempts")
    clock.shift(timedelta(hours=1))
    assert try_password(people[0], PASSWORD).status_code == 200


def test_sign_ins_on_known_devices_refund_exactly_what_they_were_charged(office: Person) -> None:
    spray(office)
    before = address_rows()
    for _ in range(3):
        assert try_password(office, PASSWORD).status_code == 200
    assert address_rows() == before
    assert Attempt.objects.get(address=all_sign_ins()).failures == FREE + 4  # with that of the fixture
    assert try_password(office, email="nobody@example.com").status_code == 429


def all_sign_ins() -> str:
    return login_key("", ClientInfo(OFFICE)).sign_ins


def address_rows() -> list[tuple[int, int]]:
    """Return failures and end of the block of each address that has any, without the counter of all sign-ins."""
    rows = Attempt.objects.filter(account="", failures__gt=0).exclude(address=all_sign_ins())
    return sorted(rows.values_list("failures", "blocked_until"))


def test_refund_of_an_earlier_attempt_lifts_no_block_that_a_later_failure_caused(office: Person) -> None:
    client = ClientInfo(OFFICE)
    slow = charge(login_key(office.email, client), client)  # its password is still being compared
    spray(office)
    refund(slow)
    assert try_password(office, email="one.more@example.com").status_code == 429


def test_address_counter_decays_under_steady_traffic(
    office: Person, clock: time_machine.Traveller, set_policy: Callable[..., None]
) -> None:
    set_policy(failures_per_address=60)  # one failure is forgotten in a minute
    for number in range(20):
        assert try_password(office, email=f"nobody{number}@example.com").status_code == 401
        clock.shift(timedelta(seconds=35))
        office.login()
        clock.shift(timedelta(seconds=35))
    assert max(address_rows())[0] <= 2


def test_admin_login_hides_known_devices_at_a_limited_address(office: Person, bob: Person) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    spray(office)
    browser = Browser(REMOTE_ADDR=OFFICE)
    pages = [
        browser.post("/admin/login/", {"username": email, "password": WRONG_PASSWORD}).text
        for email in (office.email, bob.email, "nobody@example.com")
    ]
    assert ["Too many attempts" in page for page in pages] == [True] * 3
    assert browser.post("/admin/login/", {"username": office.email, "password": PASSWORD}).status_code == 302
