"""Cost budgets of refresh and me in SQL statements and function calls, which are the same on every machine."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import mode
from types import FrameType
from typing import Any

import httpx
import pytest
import uvloop
from django.db import connection

from latchkey.db.async_connection import ConnectionLost
from latchkey.db.async_pool import AsyncPool
from latchkey.sessions.sql import event_loop_statements
from tests.people import Person
from tests.support.captured_log import CapturedLog

CALLS = {
    ("sqlite", "refresh"): 529,
    ("sqlite", "me"): 340,
    ("postgresql", "refresh"): 507,
    ("postgresql", "me"): 322,
    ("loop", "refresh"): 518,
    ("loop", "me"): 310,
}
"""Function calls for one answer, Python's and C's, with the log as production writes it (CPython 3.11).

On PostgreSQL the event loop answers, and a thread where it cannot. Write down the new figure when a change is worth
its cost, or when it saves more than a tenth.
"""
TOLERANCE = 0.1


class CallCounter:
    """The application, which counts what it calls for each answer."""

    def __init__(self) -> None:
        from latchkey.wsgi import application

        self.application: Any = application
        self.calls = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with self.counting():
            return [*self.application(environ, start_response)]

    @contextmanager
    def counting(self) -> Iterator[None]:
        self.calls = 0
        sys.setprofile(self.count)
        try:
            yield
        finally:
            sys.setprofile(None)

    def count(self, frame: FrameType, event: str, argument: Any) -> None:
        self.calls += event in ("call", "c_call")


class EventLoopCallCounter(CallCounter):
    """The same on an event loop with connections of its own, as in a worker."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = uvloop.new_event_loop()
        self.lines = AsyncPool(event_loop_statements(), self.loop, count=1)
        while not self.lines.connections:
            self.loop.run_until_complete(asyncio.sleep(0.01))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        status, headers, body = self.loop.run_until_complete(self.soon(environ))
        start_response(f"{status} OK", headers)
        return [body]

    async def soon(self, environ: dict[str, Any]) -> Any:
        with self.counting():
            return await self.application.handle_async(environ, self.lines)

    def end(self) -> None:
        for line in list(self.lines.connections):
            line.close(ConnectionLost())
        self.loop.close()


def count_calls(counted: CallCounter, person: Person, door: str) -> int:
    """Return what one answer takes; once a second the policy is read anew, which takes more."""
    person.http = httpx.Client(transport=httpx.WSGITransport(app=counted), base_url=person.http.base_url)
    calls = []
    for _ in range(20):
        if door == "me":
            assert person.me().status_code == 200
        else:
            person.refresh()
        calls.append(counted.calls)
    return mode(calls)


def assert_within_tolerance(measured: int, way: str, door: str) -> None:
    written = CALLS[way, door]
    said = f"{door} now takes {measured} calls ({way}); {written} are written"
    assert abs(measured - written) <= TOLERANCE * written, said


@pytest.mark.django_db(transaction=True)  # in a transaction, a statement takes another way
@pytest.mark.parametrize("door", ["refresh", "me"])
def test_refresh_and_me_stay_within_their_statement_and_call_budgets(
    alice: Person, captured_log: CapturedLog, statements: Callable[[Callable[[], Any]], list[str]], door: str
) -> None:
    assert len(statements(lambda: alice.me() if door == "me" else alice.refresh())) == 1
    assert_within_tolerance(count_calls(CallCounter(), alice, door), connection.vendor, door)


@pytest.mark.postgresql  # on SQLite, threads answer
@pytest.mark.django_db(transaction=True)  # other connections have to see the session
@pytest.mark.parametrize("door", ["refresh", "me"])
def test_refresh_and_me_on_the_event_loop_stay_within_their_call_budgets(
    alice: Person, captured_log: CapturedLog, door: str
) -> None:
    alice.refresh()  # which reads the policy
    counted = EventLoopCallCounter()
    try:
        assert_within_tolerance(count_calls(counted, alice, door), "loop", door)
    finally:
        counted.end()
