"""Rate limit and lockout of one account: ten failures are free, then the backoff doubles, and 100 failures lock it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from latchkey.accounts.models import User
from tests.fixtures.clients import ClientFactory
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.hashing_cost import FULL_COST, measure_hashing
from tests.support.login_attempts import fail_logins, lock_out, try_password

WAITS = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


@pytest.mark.ledger("ASVS-2.3.2", "ASVS-6.3.1", "RFC6585-4", "ASVS-16.3.3", "CS-AUTH-8")
def test_login_is_rate_limited_after_ten_failures(mallory: Person, caplog: pytest.LogCaptureFixture) -> None:
    fail_logins(mallory, 10)
    caplog.clear()
    answer = try_password(mallory)
    assert_problem(answer, 429, "too_many_attempts")
    assert answer.headers["Retry-After"] == "30"
    assert [line for line in caplog.messages if "rate_limit.exceeded" in line and "192.0.2.66" in line]


@pytest.mark.hashing
@pytest.mark.ledger("H-RATE-03", "CS-DOS-1", "REG-KEYCLOAK-07")
def test_rate_limited_login_does_not_check_the_password(mallory: Person, clock: time_machine.Traveller) -> None:
    fail_logins(mallory, 10)
    with measure_hashing() as argon2:
        assert try_password(mallory, PASSWORD).content == try_password(mallory).content
        assert try_password(mallory, PASSWORD).status_code == 429
        assert argon2.cost == 0
        clock.shift(timedelta(seconds=30))
        assert try_password(mallory, PASSWORD).status_code == 200
        assert argon2.cost == FULL_COST


@pytest.mark.ledger("NIST-3.2.2-2", "RFC9110-10.2.3")
def test_login_backoff_doubles_with_each_failure_up_to_an_hour(mallory: Person, clock: time_machine.Traveller) -> None:
    fail_logins(mallory, 9)
    waits = []
    for _ in WAITS:
        fail_logins(mallory, 1)
        wait = int(try_password(mallory).headers["Retry-After"])
        waits.append(wait)
        clock.shift(timedelta(seconds=wait - 1))
        assert try_password(mallory).headers["Retry-After"] == "1"
        clock.shift(timedelta(seconds=1))
    assert waits == WAITS


@pytest.mark.ledger("NIST-3.1.1.2-13", "NIST-3.2.2-1")
def test_account_is_locked_after_100_failures_until_a_known_device_signs_in(
    alice: Person, mallory: Person, from_address: ClientFactory, clock: time_machine.Traveller
) -> None:
    lock_out(mallory, from_address, clock)
    fresh = replace(mallory, http=from_address("203.0.113.1"))
    clock.shift(timedelta(hours=22))
    answer = try_password(fresh, PASSWORD)
    assert_problem(answer, 429, "too_many_attempts")
    assert answer.headers["Retry-After"] == "3600"
    assert try_password(alice, PASSWORD).status_code == 200  # from a known device, which resets the counters of all
    assert try_password(fresh, PASSWORD).status_code == 200


def test_strangers_guesses_lock_an_account_for_a_day_at_a_time_and_never_for_ever(
    mallory: Person, from_address: ClientFactory, clock: time_machine.Traveller
) -> None:
    lock_out(mallory, from_address, clock)
    clock.shift(timedelta(hours=23))
    for _ in range(3):  # one more guess is one more day
        assert try_password(mallory).status_code == 401
        answer = try_password(mallory, PASSWORD)
        assert_problem(answer, 429, "too_many_attempts")
        assert answer.headers["Retry-After"] == "86400"
        clock.shift(timedelta(days=1))
    assert try_password(replace(mallory, http=from_address("203.0.113.1")), PASSWORD).status_code == 200


def test_failures_at_an_account_are_forgotten_one_for_each_day_without_an_attempt(
    mallory: Person, from_address: ClientFactory, clock: time_machine.Traveller
) -> None:
    lock_out(mallory, from_address, clock)
    clock.shift(timedelta(days=92))
    fail_logins(mallory, 2)
    assert try_password(mallory, PASSWORD).status_code == 429
    clock.shift(timedelta(days=3))
    fail_logins(mallory, 2)


@pytest.mark.ledger("CS-AUTH-4", "ASVS-6.3.1")
def test_failed_logins_from_other_addresses_do_not_rate_limit_a_known_device(
    alice: Person, mallory: Person, from_address: ClientFactory
) -> None:
    fail_logins(mallory, 10)
    elsewhere = replace(mallory, http=from_address("192.0.2.99"))
    assert try_password(elsewhere, PASSWORD).status_code == 429
    assert try_password(alice, PASSWORD).status_code == 200
    assert try_password(elsewhere, PASSWORD).status_code == 200  # the owner's success resets the counter


def test_known_device_has_its_own_login_rate_limit(alice: Person, mallory: Person) -> None:
    fail_logins(alice, 10)
    assert try_password(alice, PASSWORD).status_code == 429
    assert try_password(mallory, PASSWORD).status_code == 200


@pytest.mark.ledger("NIST-3.2.2-3")
def test_successful_login_resets_the_failure_counter(mallory: Person) -> None:
    fail_logins(mallory, 9)
    assert try_password(mallory, PASSWORD).status_code == 200
    fail_logins(mallory, 10)
    assert try_password(mallory).status_code == 429


@pytest.mark.ledger("H-ENUM-04")
def test_login_rate_limit_is_the_same_for_unknown_addresses(mallory: Person) -> None:
    answers = {}
    for email in (mallory.email, "nobody@example.com", "not an address"):
        fail_logins(mallory, 10, email)
        answers[email] = try_password(mallory, email=email)
    assert len({answer.content for answer in answers.values()}) == 1
    assert {answer.status_code for answer in answers.values()} == {429}
    assert {answer.headers["Retry-After"] for answer in answers.values()} == {"30"}


@pytest.mark.ledger("H-RATE-02", "REG-ALLAUTH-03", "REG-ALLAUTH-07", "REG-AUTHELIA-01")
def test_login_rate_limit_counts_by_normalized_email_address(mallory: Person) -> None:
    spellings = [
        "alice@example.com",
        "ALICE@example.com",
        " alice@example.com ",
        "alice@EXAMPLE.com",
        "Alice@example.com",
    ]
    for spelling in spellings * 2:
        fail_logins(mallory, 1, spelling)
    assert {try_password(mallory, email=spelling).status_code for spelling in spellings} == {429}
    assert try_password(mallory, email="alice+tag@example.com").status_code == 401  # another account


@pytest.mark.parametrize("operator", ["a new password", "the action"])
def test_new_password_or_unlock_action_resets_the_login_rate_limit(
    mallory: Person, user_row: Callable[[Person], User], clock: time_machine.Traveller, operator: str
) -> None:
    from latchkey.accounts.admin_actions import reset_rate_limits

    fail_logins(mallory, 10)
    assert try_password(mallory, PASSWORD).status_code == 429
    if operator == "the action":
        assert reset_rate_limits([mallory.id]) == 1
    else:
        user = user_row(mallory)
        user.set_password(PASSWORD)
        user.save()
    assert try_password(mallory, PASSWORD).status_code == 200


def test_login_failures_allowed_per_account_follow_the_policy_setting(
    mallory: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(failures_per_account=3)
    fail_logins(mallory, 3)
    assert try_password(mallory).status_code == 429


def test_rate_limit_table_stores_neither_email_nor_ip_address(mallory: Person) -> None:
    from latchkey.rate_limits.models import Attempt

    fail_logins(mallory, 1)
    rows = repr(list(Attempt.objects.values()))
    assert Attempt.objects.count() >= 2
    assert "alice" not in rows
    assert "192.0.2" not in rows


def test_login_that_ends_in_a_server_error_counts_no_failure(mallory: Person) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE latchkey_session RENAME TO taken_away")
        for _ in range(11):
            assert try_password(mallory, password=PASSWORD).status_code >= 500
        cursor.execute("ALTER TABLE taken_away RENAME TO latchkey_session")
    assert try_password(mallory, password=PASSWORD).status_code == 200
