"""The rate limit of guessed refresh tokens: those that were never issued are counted, issued ones are not."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine

from latchkey.rate_limits.in_memory import MAX_ADDRESSES, MAX_PER_WINDOW, _counts
from tests.fixtures.clients import ClientFactory
from tests.people import Person
from tests.problems import assert_problem


@pytest.fixture(params=["refresh", "logout"])
def endpoint(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def guess(person: Person, endpoint: str) -> int:
    return person.http.post(f"/api/{endpoint}/", json={"refresh_token": str(uuid4())}).status_code


def guess_until_limited(person: Person, endpoint: str) -> int:
    """Return the number of guesses before the limit; one in 4,096 looks like an issued token and is not counted."""
    for count in range(MAX_PER_WINDOW + 5):
        if guess(person, endpoint) == 429:
            return count
    return MAX_PER_WINDOW + 5


@pytest.mark.ledger("CS-SESS-6", "RFC7009-5", "ASVS-2.4.1")
def test_refresh_and_logout_rate_limit_tokens_that_were_never_issued(
    mallory: Person, endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert MAX_PER_WINDOW <= guess_until_limited(mallory, endpoint) <= MAX_PER_WINDOW + 2
    answer = mallory.http.post(f"/api/{endpoint}/", json={"refresh_token": str(uuid4())})
    assert_problem(answer, 429, "too_many_attempts")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert [line for line in caplog.messages if "rate_limit.exceeded" in line]


def test_issued_refresh_token_works_while_its_ip_address_is_limited_for_guessing(
    alice: Person, mallory: Person, endpoint: str
) -> None:
    at_home = replace(mallory, http=alice.http)
    guess_until_limited(at_home, endpoint)
    alice.refresh()
    alice.refresh()
    assert alice.logout().status_code == 200
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert alice.logout().status_code == 200


def test_refresh_and_logout_do_not_count_tokens_of_ended_sessions_as_guesses(alice: Person) -> None:
    alice.logout()
    for _ in range(MAX_PER_WINDOW + 5):
        assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
        assert alice.logout().status_code == 200


def test_token_guessing_rate_limit_ends_after_a_minute(mallory: Person, clock: time_machine.Traveller) -> None:
    guess_until_limited(mallory, "refresh")
    clock.shift(timedelta(seconds=59))
    assert guess(mallory, "refresh") == 429
    clock.shift(timedelta(seconds=1))
    assert guess(mallory, "refresh") == 401


def test_token_guessing_rate_limit_is_per_ip_address(mallory: Person, from_address: ClientFactory) -> None:
    guess_until_limited(mallory, "refresh")
    assert guess(mallory, "refresh") == 429
    assert guess(replace(mallory, http=from_address("192.0.2.67")), "refresh") == 401


def test_token_guessing_counter_holds_a_bounded_number_of_addresses(mallory: Person) -> None:
    from latchkey.core.client import ClientInfo
    from latchkey.rate_limits.in_memory import count_invalid_token

    for number in range(MAX_ADDRESSES + 10):
        count_invalid_token(ClientInfo(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"))
    assert len(_counts) == MAX_ADDRESSES
