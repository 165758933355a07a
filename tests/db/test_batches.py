"""Batches of the event loop's connection pool on PostgreSQL: many requests in one statement, each with its own rows."""

import asyncio
import os
import random
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.db.models import F

from latchkey.applications.credentials import secret_statement
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.db.async_pool import PLANNER_OPTIONS
from latchkey.db.batches import MAX_BATCH, PendingBatch, PendingQuery, encode_array
from latchkey.sessions.models import Session
from latchkey.sessions.sql import rotate_statement
from latchkey.tokens.refresh_token import generate, refresh_token_keys
from tests.operations.dripping_proxy import DrippingProxy
from tests.support.event_loop import (
    Device,
    EventLoop,
    Rows,
    event_loop,
    open_device,
    open_devices,
    other_connection,
    refresh_query,
    writers,
)

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def devices() -> list[Device]:
    return open_devices(12)


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    with event_loop() as running:
        yield running


def ids(devices: list[Device]) -> list[int | None]:
    return [device.session.pk for device in devices]


def test_refreshes_that_wait_for_a_connection_are_one_statement(loop: EventLoop, devices: list[Device]) -> None:
    assert loop.refresh_all([device.token for device in devices]) == ids(devices)
    first, *others = writers(devices)
    assert len({*others}) == 1
    assert first not in others
    assert loop.refresh_all([device.next_token for device in devices]) == ids(devices)


def test_refreshes_wait_for_the_one_under_way_although_other_connections_are_idle(devices: list[Device]) -> None:
    with event_loop(connections=4) as loop:
        assert loop.refresh_all([device.token for device in devices]) == ids(devices)
    first, *others = writers(devices)
    assert len({*others}) == 1
    assert first not in others


def test_batch_is_limited_in_its_size(loop: EventLoop) -> None:
    devices = open_devices(MAX_BATCH + 12)
    assert loop.refresh_all([device.token for device in devices]) == ids(devices)
    by_writer = writers(devices)
    assert sorted(by_writer.count(writer) for writer in {*by_writer}) == [1, 11, MAX_BATCH]


def test_equal_tokens_in_the_queue_have_one_winner(loop: EventLoop, devices: list[Device]) -> None:
    tokens = [device.token for device in devices for _ in range(3)]
    random.Random(1).shuffle(tokens)
    found = loop.refresh_all(tokens)
    assert sorted(each for each in found if each) == sorted(device.session.pk for device in devices)


def test_token_and_its_successor_in_the_queue_are_rotated_in_their_order(
    loop: EventLoop, devices: list[Device]
) -> None:
    tokens = [token for device in devices for token in (device.token, device.next_token)]
    assert loop.refresh_all(tokens) == [device.session.pk for device in devices for _ in range(2)]


def test_tokens_that_are_not_current_have_no_row_and_take_none_from_others(
    loop: EventLoop, devices: list[Device]
) -> None:
    made_up = [generate(refresh_token_keys()[0]) for _ in devices]
    tokens = [token for pair in zip(made_up, [device.token for device in devices], strict=True) for token in pair]
    assert loop.refresh_all(tokens) == [each for device in devices for each in (None, device.session.pk)]


def columns_of(devices: list[Device]) -> list[tuple[Any, ...]]:
    rows = {row[0]: row for row in Session.objects.values_list()}
    return [rows[device.session.pk] for device in devices]


@pytest.mark.parametrize("is_batch", [False, True], ids=["alone", "batch"])
def test_batch_rotates_what_single_statements_rotate(loop: EventLoop, is_batch: bool) -> None:
    """Every reason for which a session may not be refreshed, beside sessions that may."""
    now, policy = clock.now(), current_policy()
    refused = {
        "expired": open_device("a@example.com", expires_at=now),
        "too old": open_device("b@example.com"),
        "revoked": open_device("c@example.com", credential_version=7),
        "deactivated": open_device("d@example.com"),
        "another token": open_device("e@example.com", digest=b"x" * 32, next_digest=b"y" * 32),
    }
    Session.objects.filter(pk=refused["too old"].session.pk).update(
        created_at=now - policy.session_lifetime_cap, expires_at=now + timedelta(days=1)
    )
    get_user_model().objects.filter(pk=refused["deactivated"].session.user_id).update(is_active=False)
    behind = open_device("g@example.com")
    Session.objects.filter(pk=behind.session.pk).update(next_digest=F("digest"), digest=b"x" * 32)
    capped = open_device("h@example.com")
    Session.objects.filter(pk=capped.session.pk).update(
        created_at=now - policy.session_lifetime_cap + timedelta(hours=1)
    )
    plain = open_device("i@example.com")
    accepted = [behind, capped, plain]
    queries = [device.refresh(now) for device in (*refused.values(), *accepted)]
    first = open_device("first@example.com")
    if is_batch:
        answers = loop.fetch_all([first.refresh(now), *queries])[1:]
        assert len({*writers(accepted)}) == 1
    else:
        answers = [query.fetch() for query in queries]
    assert answers[: len(refused)] == [[] for _ in refused]
    found = columns_of(accepted)
    assert [answer[0][:2] for answer in answers[len(refused) :] if isinstance(answer, list)] == [
        (device.session.pk, device.session.user_id) for device in accepted
    ]
    written = {field.attname: position for position, field in enumerate(Session._meta.concrete_fields)}
    assert {row[written["rotated_at"]] for row in found} == {now}
    assert found[1][written["expires_at"]] == now + timedelta(hours=1)
    assert found[2][written["expires_at"]] == now + policy.refresh_token_lifetime
    for device, row in zip(accepted, found, strict=True):
        parameters = refresh_query(device.token, now).parameters
        stored = [bytes(row[written[name]]) for name in ("digest", "next_digest", "retry_digest")]
        assert stored == [parameters[name] for name in ("digest", "next_digest", "retry_digest")]


def test_users_of_sessions_are_found_in_a_batch_one_of_them_twice(loop: EventLoop, devices: list[Device]) -> None:
    now = clock.now()
    asked = [*devices, devices[3], devices[3]]
    Session.objects.filter(pk=devices[5].session.pk).update(expires_at=now)
    answers = loop.fetch_all([Session.objects.session_user_query(device.session.pk, now) for device in asked])
    users = [device.session.user for device in asked]
    expected = [
        [] if device is devices[5] else [(user.pk, user.email)] for device, user in zip(asked, users, strict=True)
    ]
    assert [[row[:2] for row in answer] for answer in answers if isinstance(answer, list)] == expected


def test_different_statements_in_the_queue_are_not_mixed(loop: EventLoop, devices: list[Device]) -> None:
    now = clock.now()
    queries = []
    for device in devices:
        queries += [device.refresh(now), Session.objects.session_user_query(device.session.pk, now)]
    answers = loop.fetch_all(queries)
    for device, rotated, user in zip(devices, answers[::2], answers[1::2], strict=True):
        assert isinstance(rotated, list)
        assert isinstance(user, list)
        assert rotated[0][:2] == (device.session.pk, device.session.user_id)
        assert user[0][:2] == (device.session.user_id, device.session.user.email)


async def gather(futures: list["asyncio.Future[Rows]"]) -> list[Rows]:
    return await asyncio.gather(*futures)


def members_of(loop: EventLoop, devices: list[Device]) -> list[PendingQuery]:
    statement = rotate_statement()
    values = [statement.encode(device.refresh().parameters) for device in devices]
    return [PendingQuery(statement, each, loop.loop.create_future(), loop.loop.time()) for each in values]


def test_batch_that_exceeds_the_buffers_of_the_socket_is_sent_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    database, statement = connections.settings["default"], secret_statement()
    with DrippingProxy(int(database["PORT"]), receive_buffer=2048) as proxy:
        monkeypatch.setitem(database, "PORT", str(proxy.port))
        with event_loop(statements=[statement]) as loop, socket.socket(fileno=os.dup(loop.connection.socket)) as wire:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
            values = statement.encode({"digest": b"x" * 32, "client_id": "x" * 10_000})
            futures = [loop.loop.create_future() for _ in range(MAX_BATCH)]
            proxy.holding.set()
            loop.connection.send(PendingBatch(statement, [PendingQuery(statement, values, f, 0.0) for f in futures]))
            assert loop.connection.pgconn.flush()
            proxy.holding.clear()
            gathered = asyncio.wait_for(gather(futures), 10)  # the check five times a second would send 4 KiB each time
            assert loop.loop.run_until_complete(gathered) == [[] for _ in futures]


def test_plan_of_a_batch_limits_locks_first_and_reads_rows_by_their_index() -> None:
    """Once there are more users than members of a batch, as the planner then knows."""
    sql, names = rotate_statement().batch.pg_sql, rotate_statement().parameter_names
    open_devices(200)
    with other_connection() as reader:
        reader.execute("ANALYZE latchkey_session, latchkey_user")
        reader.execute(PLANNER_OPTIONS.replace("-c", "; SET").removeprefix("; ").encode())
        reader.pgconn.prepare(b"batch", sql)
        plan = [
            row[0] for row in reader.execute(f"EXPLAIN EXECUTE batch ({', '.join(['NULL'] * len(names))})".encode())
        ]
    scans = [line.strip("-> ").partition("  (")[0] for line in plan if "Scan" in line or "One-Time" in line]
    assert scans[0] == "One-Time Filter: ((InitPlan 1).col1 IS NOT NULL)"
    assert scans[1] == "Function Scan on each"
    assert scans[2] == "Index Scan using latchkey_session_selector_key on latchkey_session s"
    assert scans[3] == "Index Scan using latchkey_user_pkey on latchkey_user u"


def test_rows_are_locked_in_the_same_order_by_every_batch(loop: EventLoop, devices: list[Device]) -> None:
    """So that two batches of two workers that share sessions never wait for each other in a circle."""
    orders = []
    for seed in range(3):
        shuffled = list(devices)
        random.Random(seed).shuffle(shuffled)
        loop.connection.send(PendingBatch(rotate_statement(), members := members_of(loop, shuffled)))
        loop.loop.run_until_complete(gather([member.future for member in members]))
        with other_connection() as reader:  # a table without free space has its rows in the order of their UPDATE
            orders.append(reader.execute("SELECT id FROM latchkey_session ORDER BY ctid").fetchall())
        devices = [Device(device.session, device.next_token) for device in devices]
    assert orders[0] == orders[1] == orders[2]


def test_request_whose_batch_failed_joins_no_other_batch(loop: EventLoop, devices: list[Device]) -> None:
    first, second, third, fourth = members_of(loop, devices[:4])
    third.is_alone = True
    loop.pool.waiters.extend([second, third, fourth])
    joined = loop.pool._join(first)
    assert isinstance(joined, PendingBatch)
    assert set(joined.members) == {first, second, fourth}
    assert loop.pool._join(loop.pool.waiters.popleft()) is third


def test_array_of_any_text_arrives_as_it_was() -> None:
    texts = ["", "NULL", "a b", 'say "x"', "back\\slash", "{1,2}", ",", "ümläut", "'; --", "\n"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT unnest(%s::text[])", [encode_array([text.encode() for text in texts]).decode()])
        assert [row[0] for row in cursor.fetchall()] == texts
