"""The rate limit of POST /api/register/, which discloses whether an address is taken."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from tests.fixtures.clients import ClientFactory
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.login_attempts import try_password

FREE = 4


def register(http: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return http.post("/api/register/", json={"email": f"{name}@example.com", "password": password})


@pytest.mark.ledger("ASVS-2.4.1", "ASVS-2.3.2")
def test_register_rate_limits_one_ip_address_apart_from_login(
    mallory: Person, from_address: ClientFactory, set_policy: Callable[..., None]
) -> None:
    set_policy(registrations_per_address=FREE)
    statuses = [register(mallory.http, name).status_code for name in ("alice", "one", "alice", "two")]
    assert statuses == [400, 201, 400, 201]
    assert_problem(register(mallory.http, "three"), 429, "too_many_attempts")
    assert register(from_address("192.0.2.67"), "three").status_code == 201
    own = replace(mallory, email="one@example.com")
    assert try_password(own, PASSWORD).status_code == 200  # logins have a counter of their own


@pytest.mark.ledger("ASVS-2.4.1")
@pytest.mark.parametrize("verification", ["off", "optional", "required"])
def test_register_is_rate_limited_after_100_addresses_whether_they_are_taken_or_not(
    alice: Person, from_address: ClientFactory, set_policy: Callable[..., None], verification: str
) -> None:
    set_policy(email_verification=verification)
    for address, name in (("192.0.2.1", "alice"), ("192.0.2.2", "new{}"), ("2001:db8::2", "alice.{}")):
        http = from_address(address)
        if name != "alice" or verification == "off":  # three mails an hour may go to one address
            statuses = [register(http, name.format(number)).status_code for number in range(99)]
            assert set(statuses) == {400 if name == "alice" else 202 if verification == "required" else 201}
            assert register(http, name.format(99)).status_code == statuses[0]
        else:
            for _ in range(100):
                register(http, name)
        assert_problem(register(http, "alice"), 429, "too_many_attempts")
        assert_problem(register(http, "somebody.else"), 429, "too_many_attempts")


def test_register_counts_the_recipient_alike_whether_the_address_is_taken_or_not(
    alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="optional")
    assert [register(alice.http, "alice").status_code for _ in range(4)] == [400, 400, 400, 429]
    assert [register(alice.http, "new").status_code for _ in range(4)] == [201, 400, 400, 429]


def test_register_with_a_validation_error_counts_no_attempt(mallory: Person, set_policy: Callable[..., None]) -> None:
    set_policy(registrations_per_address=2)
    for _ in range(5):
        assert register(mallory.http, "one", "short").status_code == 400
    assert register(mallory.http, "one").status_code == 201


def test_register_with_its_rate_limit_takes_at_most_four_statements(
    alice: Person, statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    sent = statements(lambda: register(alice.http, "carol"))
    assert 2 <= len(sent) <= 4
