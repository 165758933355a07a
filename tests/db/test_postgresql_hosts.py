"""The order in which the hosts of DATABASE_URL are tried."""

from collections.abc import Iterator
from typing import Any

import pytest

from latchkey.db.postgresql import base

THREE = {"host": "a,b,c", "port": "1,2,3", "dbname": "latchkey"}


@pytest.fixture(autouse=True)
def forget_servers() -> Iterator[None]:
    """Forget which servers stalled or accepted a connection, before and after."""
    kept = dict(base._avoided), list(base._connected)
    base._avoided.clear()
    base._connected.clear()
    yield
    base._avoided.clear()
    base._avoided.update(kept[0])
    base._connected[:] = kept[1]


def order(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    return [(attempt["host"], attempt["port"]) for attempt in base.connection_attempts(parameters)]


def test_hosts_are_tried_in_their_order() -> None:
    assert order(THREE) == [("a", "1"), ("b", "2"), ("c", "3")]
    assert order({**THREE, "port": "5432"}) == [("a", "5432"), ("b", "5432"), ("c", "5432")]
    assert all(attempt["dbname"] == "latchkey" for attempt in base.connection_attempts(THREE))


def test_host_that_stalled_is_tried_last_and_the_latest_one_first() -> None:
    base._connected[:] = [("b", "2")]
    assert order(THREE) == [("b", "2"), ("a", "1"), ("c", "3")]
    base.avoid(("b", "2"))
    assert order(THREE) == [("a", "1"), ("c", "3"), ("b", "2")]


def test_stalled_host_is_tried_in_its_order_after_a_while() -> None:
    base.avoid(("a", "1"))
    assert order(THREE)[-1] == ("a", "1")
    base._avoided["a", "1"] -= base.AVOID_SECONDS
    assert order(THREE)[0] == ("a", "1")


def test_random_order_of_load_balance_hosts_is_kept() -> None:
    base._connected[:] = [("b", "2")]
    balanced = {**THREE, "load_balance_hosts": "random"}
    assert {order(balanced)[0] for _ in range(100)} == {("a", "1"), ("b", "2"), ("c", "3")}


@pytest.mark.parametrize(
    "parameters",
    [
        {"host": "a", "port": "1"},
        {"dbname": "latchkey"},
        {**THREE, "port": "1,2"},  # libpq refuses it, and says why
        {**THREE, "hostaddr": "10.0.0.1,10.0.0.2,10.0.0.3"},
        {**THREE, "target_session_attrs": "prefer-standby"},
    ],
)
def test_what_is_no_list_of_hosts_is_left_to_libpq(parameters: dict[str, Any]) -> None:
    assert list(base.connection_attempts(parameters)) == [parameters]
