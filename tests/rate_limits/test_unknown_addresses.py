"""Clients whose IP address cannot be read: they are never counted as one, and the log says so."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from latchkey.core.client import _Warnings
from tests.fixtures.clients import ClientFactory
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.login_attempts import try_password

FREE = 3
UNREADABLE = ["unknown", "_hidden", "", "6.6.6.6, junk", "6.6.6.6, unix:"]


@pytest.fixture(autouse=True)
def one_proxy(settings: Any, set_policy: Callable[..., None]) -> None:
    settings.TRUSTED_PROXIES = 1
    set_policy(failures_per_address=FREE, registrations_per_address=FREE)


def through_proxy(client: httpx.Client, forwarded: str) -> httpx.Client:
    client.headers["X-Forwarded-For"] = forwarded
    return client


@pytest.mark.ledger("ASVS-15.3.4", "H-RATE-04")
@pytest.mark.parametrize("forwarded", ["203.0.113.{}:51234", "[2001:db8:{}::1]:443", '"203.0.113.{}"'])
def test_clients_are_counted_apart_when_the_proxy_adds_ports_and_quotes(
    alice: Person, from_address: ClientFactory, forwarded: str
) -> None:
    mallory = replace(alice, http=through_proxy(from_address("10.0.0.1"), forwarded.format(7)))
    statuses = [try_password(mallory, email=f"user{number}@example.com").status_code for number in range(FREE + 1)]
    assert statuses == [401] * FREE + [429]
    through_proxy(mallory.http, forwarded.format(7).replace(":51234", ":9").replace(":443", ":9"))
    assert try_password(mallory, email="again@example.com").status_code == 429  # another connection, the same client
    elsewhere = replace(mallory, http=through_proxy(mallory.http, forwarded.format(8)))
    assert try_password(elsewhere, PASSWORD).status_code == 200


@pytest.mark.parametrize("forwarded", UNREADABLE)
def test_strangers_without_a_readable_address_do_not_rate_limit_each_other(
    alice: Person, from_address: ClientFactory, forwarded: str
) -> None:
    http = through_proxy(from_address("10.0.0.1"), forwarded)
    mallory = replace(alice, http=http)
    for number in range(3 * FREE):
        assert try_password(mallory, email=f"user{number}@example.com").status_code == 401
        assert try_register(http, f"new{number}").status_code == 201
        reset = http.post("/api/password/reset/", json={"email": f"user{number}@example.com"})
        assert reset.status_code < 300
    assert try_password(mallory, PASSWORD).status_code == 200


def test_account_is_rate_limited_without_a_readable_address_and_no_stranger_is_a_known_device(
    alice: Person, from_address: ClientFactory
) -> None:
    unknown = replace(alice, http=through_proxy(from_address("10.0.0.1"), "unknown"))
    assert try_password(unknown, PASSWORD).status_code == 200
    for _ in range(10):
        assert try_password(unknown).status_code == 401
    assert_problem(try_password(unknown), 429, "too_many_attempts")
    assert try_password(unknown, PASSWORD).status_code == 429


def test_made_up_tokens_without_a_readable_address_do_not_rate_limit_strangers(
    alice: Person, from_address: ClientFactory
) -> None:
    http = through_proxy(from_address("10.0.0.1"), "unknown")
    made_up = {"refresh_token": "a3f1cbb8-6f8f-4a0e-9f3e-0123456789ab"}
    assert {http.post("/api/refresh/", json=made_up).status_code for _ in range(60)} == {401}


@pytest.mark.parametrize(("forwarded", "reason"), [("unknown", "unreadable"), ("", "unreadable"), (None, "missing")])
def test_unknown_address_is_logged_once_a_minute(
    alice: Person, from_address: ClientFactory, caplog: pytest.LogCaptureFixture, forwarded: str | None, reason: str
) -> None:
    http, _Warnings.next_at = from_address("10.0.0.1"), 0.0
    caplog.clear()
    if forwarded is not None:
        through_proxy(http, forwarded)
    stranger = replace(alice, http=http)
    for _ in range(3):
        try_password(stranger)
    (line,) = [line for line in caplog.messages if "proxy.address_unknown" in line]
    assert reason in line
    _Warnings.next_at -= 60
    try_password(stranger)
    assert len([line for line in caplog.messages if "proxy.address_unknown" in line]) == 2


def test_readable_address_is_not_logged_as_unknown(
    alice: Person, from_address: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    _Warnings.next_at = 0.0
    caplog.clear()
    try_password(replace(alice, http=through_proxy(from_address("10.0.0.1"), "203.0.113.5:4711")))
    assert "proxy.address_unknown" not in "".join(caplog.messages)


def try_register(http: httpx.Client, name: str) -> httpx.Response:
    return http.post("/api/register/", json={"email": f"{name}@example.com", "password": PASSWORD})
