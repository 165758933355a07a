"""A batch that fails costs each of its requests one try on its own, and other requests nothing."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import OperationalError, connections

from latchkey.db.async_connection import ConnectionLost, StatementLost
from latchkey.db.batches import MAX_BATCH
from latchkey.tokens.refresh_token import refresh_token_keys, successor
from tests.support.event_loop import Device, EventLoop, event_loop, locked, open_devices, other_connection, writers

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

SLEEP = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep({seconds}); RETURN new; END';
CREATE TRIGGER {name} BEFORE UPDATE ON latchkey_session FOR EACH ROW WHEN (new.id = {id}) EXECUTE FUNCTION {name}();
"""


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time limits of a process that serves, shorter."""
    monkeypatch.setitem(
        connections.settings["default"]["OPTIONS"], "options", "-c lock_timeout=2s -c statement_timeout=1500ms"
    )


@pytest.fixture
def devices() -> list[Device]:
    return open_devices(12)


@pytest.fixture
def loop(limits: None) -> Iterator[EventLoop]:
    with event_loop() as running:
        yield running


@pytest.fixture
def slow_row(devices: list[Device]) -> Iterator[Callable[[float], None]]:
    """Return a function that has every UPDATE of the fifth session take so many seconds."""
    with other_connection() as owner:
        sql = SLEEP.replace("{name}", "slow_row").replace("{id}", str(devices[5].session.pk))
        yield lambda seconds: owner.execute(sql.replace("{seconds}", str(seconds)).encode()).close()
        owner.execute("DROP TRIGGER IF EXISTS slow_row ON latchkey_session; DROP FUNCTION IF EXISTS slow_row")


@pytest.mark.parametrize("number", [0, 5], ids=["the refresh that is sent alone", "a member of the batch"])
def test_locked_row_costs_the_others_a_moment_and_its_own_refresh_waits_alone(
    devices: list[Device], number: int
) -> None:
    with event_loop(connections=2) as loop, locked(devices[number]) as holder:
        release = threading.Timer(1.2, holder.rollback)
        release.start()
        found = loop.refresh_all([device.token for device in devices])
        release.join()
    assert found == [device.session.pk for device in devices]
    assert loop.took.pop(number) > 1
    assert max(loop.took) < 1


def test_row_that_stays_locked_fails_its_own_refresh_alone(devices: list[Device]) -> None:
    with event_loop(connections=4) as loop, locked(devices[5]):
        answers = loop.fetch_all([device.refresh() for device in devices])
    failed = answers.pop(5)
    assert isinstance(failed, OperationalError)
    assert [answer[0][0] for answer in answers if isinstance(answer, list)] == [
        device.session.pk for device in devices if device is not devices[5]
    ]


def test_batch_that_exceeds_the_statement_timeout_is_rolled_back_and_each_request_tried_alone(
    devices: list[Device], slow_row: Callable[[float], None]
) -> None:
    slow_row(5)
    with event_loop(connections=4) as loop:
        answers = loop.fetch_all([device.refresh() for device in devices])
    assert isinstance(answers.pop(5), OperationalError)
    assert [answer[0][0] for answer in answers if isinstance(answer, list)] == [
        device.session.pk for device in devices if device is not devices[5]
    ]


def test_connection_that_is_lost_in_a_batch_leaves_all_of_it_or_nothing(
    loop: EventLoop, devices: list[Device], slow_row: Callable[[float], None]
) -> None:
    """Each request learns that it may have been executed; a thread then tries it alone."""
    slow_row(1)
    before = writers(devices)
    with other_connection() as killer, ThreadPoolExecutor(1) as pool:
        ending = pool.submit(terminate_when_it_sleeps, killer)
        answers = loop.fetch_all([device.refresh() for device in devices])
        ending.result()
    assert isinstance(answers[0], list)
    assert {type(answer) for answer in answers[1:]} == {StatementLost}
    assert writers(devices)[1:] == before[1:]


def terminate_when_it_sleeps(killer: psycopg.Connection) -> None:
    deadline = time.monotonic() + 10
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    while not killer.execute(query).fetchall():
        assert time.monotonic() < deadline


def test_idle_connection_to_a_server_that_is_to_be_left_is_not_used(devices: list[Device]) -> None:
    with event_loop(connections=2) as loop:
        stalled = loop.pool.idle[-1]
        stalled.database.must_close = True  # as another connection sets it that had no answer
        assert loop.refresh_all([devices[0].token]) == [devices[0].session.pk]
        assert stalled not in loop.pool.connections
        for connection in loop.pool.connections:
            connection.database.must_close = True
        [answer] = loop.fetch_all([devices[1].refresh()])
        assert type(answer) is ConnectionLost


def test_connection_that_is_to_be_left_takes_no_batch_after_its_statement(
    loop: EventLoop, devices: list[Device]
) -> None:
    loop.loop.call_later(0.1, setattr, loop.connection.database, "must_close", True)
    with locked(devices[0]) as holder:
        release = threading.Timer(0.5, holder.rollback)
        release.start()
        first, *others = loop.fetch_all([device.refresh() for device in devices])
        release.join()
    assert isinstance(first, list)
    assert {type(answer) for answer in others} == {ConnectionLost}


def test_batches_of_two_workers_that_share_sessions_rotate_each_token_once() -> None:
    devices, rounds, barrier = open_devices(MAX_BATCH), 30, threading.Barrier(2)

    def work(seed: int) -> list[list[int | None]]:
        """Return the sessions that this worker has refreshed in each round."""
        tokens, found = [device.token for device in devices], []
        with event_loop() as loop:
            for number in range(rounds):
                order = list(range(len(devices)))
                random.Random(seed * rounds + number).shuffle(order)
                barrier.wait(30)
                answers = dict(zip(order, loop.refresh_all([tokens[index] for index in order]), strict=True))
                found.append([answers[index] for index in range(len(devices))])
                barrier.wait(30)
                tokens = [successor(refresh_token_keys()[0], token) for token in tokens]
        connections.close_all()  # of this thread
        return found

    with ThreadPoolExecutor(2) as pool:
        one, other = [working.result() for working in [pool.submit(work, seed) for seed in range(2)]]
    for mine, yours in zip(one, other, strict=True):
        for device, *found in zip(devices, mine, yours, strict=True):
            assert [each for each in found if each] == [device.session.pk]
