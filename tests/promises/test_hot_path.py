"""What refresh and me cost, counted: SQL statements and function calls are the same on every machine."""

import sys
from collections.abc import Callable
from statistics import mode
from types import FrameType
from typing import Any

import httpx
import pytest
from django.db import connection

from tests.people import Person
from tests.promises.lines import Log

CALLS = {
    ("sqlite", "refresh"): 538,
    ("sqlite", "me"): 339,
    ("postgresql", "refresh"): 522,
    ("postgresql", "me"): 317,
}
"""Function calls for one answer, Python's and C's, with the log as production writes it (CPython 3.11).

Write down the new figure when a change is worth its cost, or when it saves more than a tenth.
"""
TOLERANCE = 0.1


class Counted:
    """The application, which counts what it calls for each answer."""

    def __init__(self) -> None:
        from latchkey.wsgi import application

        self.application: Any = application
        self.calls = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.calls = 0
        sys.setprofile(self.count)
        try:
            return [*self.application(environ, start_response)]
        finally:
            sys.setprofile(None)

    def count(self, frame: FrameType, event: str, argument: Any) -> None:
        self.calls += event in ("call", "c_call")


@pytest.mark.django_db(transaction=True)  # in a transaction, a statement takes another way
@pytest.mark.parametrize("door", ["refresh", "me"])
def test_the_hot_path_costs_what_is_written_down(
    alice: Person, log: Log, statements: Callable[[Callable[[], Any]], list[str]], door: str
) -> None:
    counted = Counted()
    alice.http = httpx.Client(transport=httpx.WSGITransport(app=counted), base_url=alice.http.base_url)

    def ask() -> None:
        if door == "me":
            assert alice.me().status_code == 200
        else:
            alice.refresh()

    assert len(statements(ask)) == 1
    calls = []
    for _ in range(20):
        ask()
        calls.append(counted.calls)
    measured, written = mode(calls), CALLS[connection.vendor, door]  # once a second the policy is read anew
    assert abs(measured - written) <= TOLERANCE * written, f"{door} now takes {measured} calls; {written} are written"
