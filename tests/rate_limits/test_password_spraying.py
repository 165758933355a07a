"""Password spraying, one password at many accounts, is stopped by the rate limit of the IP address."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from tests.fixtures.clients import ClientFactory
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.login_attempts import fail_logins, try_password

FREE = 5


@pytest.fixture(autouse=True)
def low_address_limit(set_policy: Callable[..., None]) -> None:
    set_policy(failures_per_address=FREE)


def spray_password(person: Person, times: int, first: int = 0) -> None:
    """Fail one login at each of this number of accounts."""
    for number in range(first, first + times):
        fail_logins(person, 1, f"user{number}@example.com")


@pytest.mark.ledger("H-RATE-01", "ASVS-2.4.1")
def test_failed_logins_at_many_accounts_rate_limit_their_ip_address(
    mallory: Person, from_address: ClientFactory
) -> None:
    spray_password(mallory, FREE)
    answer = try_password(mallory, email="one.more@example.com")
    assert_problem(answer, 429, "too_many_attempts")
    assert answer.headers["Retry-After"] == "30"
    elsewhere = replace(mallory, http=from_address("192.0.2.67"))
    assert try_password(elsewhere, email="one.more@example.com").status_code == 401


@pytest.mark.ledger("REG-ALLAUTH-18", "H-RATE-01")
def test_login_rate_limit_counts_an_ipv6_64_network_as_one_address(
    mallory: Person, from_address: ClientFactory
) -> None:
    for number in range(FREE):
        spray_password(replace(mallory, http=from_address(f"2001:db8:1:2:{number}::1")), 1, number)
    same = replace(mallory, http=from_address("2001:db8:1:2:ffff::9"))
    assert try_password(same, email="one.more@example.com").status_code == 429
    neighbour = replace(mallory, http=from_address("2001:db8:1:3::1"))
    assert try_password(neighbour, email="one.more@example.com").status_code == 401


@pytest.mark.ledger("H-RATE-04", "REG-ALLAUTH-05", "ASVS-15.3.4", "ASVS-4.1.3")
def test_login_rate_limit_ignores_a_forged_x_forwarded_for(mallory: Person) -> None:
    for number in range(FREE):
        mallory.http.headers["X-Forwarded-For"] = f"203.0.113.{number}"
        spray_password(mallory, 1, number)
    mallory.http.headers["X-Forwarded-For"] = "203.0.113.200"
    assert try_password(mallory, email="one.more@example.com").status_code == 429


@pytest.mark.ledger("ASVS-15.3.4")
def test_login_rate_limit_uses_the_address_seen_by_a_trusted_proxy(mallory: Person, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    for number in range(FREE):
        mallory.http.headers["X-Forwarded-For"] = f"203.0.113.{number}, 198.51.100.7"
        spray_password(mallory, 1, number)
    assert try_password(mallory, email="one.more@example.com").status_code == 429
    mallory.http.headers["X-Forwarded-For"] = "198.51.100.7, 198.51.100.8"
    assert try_password(mallory, email="one.more@example.com").status_code == 401


@pytest.mark.ledger("NIST-3.2.2-3")
def test_login_to_an_own_account_does_not_reset_the_address_rate_limit(mallory: Person) -> None:
    own = replace(mallory, email="mallory@example.com").register().login()
    spray_password(mallory, FREE - 1)
    own.login()
    assert try_password(mallory, PASSWORD).status_code == 200  # a new device, whose charge is refunded
    spray_password(mallory, 1, FREE)
    own.login()
    assert try_password(mallory, email="one.more@example.com").status_code == 429


def test_known_device_is_not_limited_by_failures_of_others_at_its_ip_address(alice: Person, mallory: Person) -> None:
    at_home = replace(mallory, http=alice.http)
    spray_password(at_home, FREE)
    assert try_password(at_home, email="one.more@example.com").status_code == 429
    assert try_password(alice, PASSWORD).status_code == 200


def test_address_rate_limit_allows_its_failures_anew_after_an_hour(
    mallory: Person, clock: time_machine.Traveller
) -> None:
    spray_password(mallory, FREE)
    clock.shift(timedelta(hours=1))
    spray_password(mallory, FREE, 100)
    assert try_password(mallory, email="one.more@example.com").status_code == 429


def test_clock_set_back_does_not_reset_the_address_rate_limit(mallory: Person, clock: time_machine.Traveller) -> None:
    spray_password(mallory, FREE - 1)
    clock.shift(timedelta(hours=-1))
    spray_password(mallory, 1, 100)
    assert try_password(mallory, email="one.more@example.com").status_code == 429


def test_forwarded_for_from_an_untrusted_private_proxy_is_logged_once(
    alice: Person, from_address: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    from latchkey.core.client import _warn_untrusted_proxy

    _warn_untrusted_proxy.cache_clear()
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    for address, warnings in (("8.8.8.8", 0), ("10.0.0.1", 1), ("127.0.0.1", 1)):
        http = from_address(address)
        http.post("/api/login/", json={"email": alice.email, "password": PASSWORD}, headers=forwarded)
        assert len([line for line in caplog.messages if "proxy.not_trusted" in line]) == warnings
