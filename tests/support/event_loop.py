"""An event loop with the connection pool of a worker, and sessions whose tokens it refreshes, in this process."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import psycopg
import uvloop
from django.contrib.auth import get_user_model
from django.db import connection

from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.db.async_connection import AsyncConnection, ConnectionLost
from latchkey.db.async_pool import AsyncPool
from latchkey.db.batches import BatchedStatement
from latchkey.db.statements import Query
from latchkey.sessions.models import Session, random_id
from latchkey.sessions.refresh import prepare
from latchkey.sessions.sql import event_loop_statements
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.refresh_token import digest, generate, refresh_token_keys, selector, successor

Rows: TypeAlias = list[tuple[Any, ...]]


class Device(NamedTuple):
    """A session with its current refresh token."""

    session: Session
    token: UUID

    @property
    def next_token(self) -> UUID:
        return successor(refresh_token_keys()[0], self.token)

    def refresh(self, now: datetime | None = None) -> Query:
        """Return the statement of a refresh."""
        return refresh_query(self.token, now)


def refresh_query(token: UUID, now: datetime | None = None) -> Query:
    now = now or clock.now()
    return prepare(token, now, current_policy(), signing_key(now))[1]


def open_device(email: str, **columns: Any) -> Device:
    """Insert a user and a session, with these columns of the session instead of those of a new one."""
    key, now = refresh_token_keys()[0], clock.now()
    user = get_user_model().objects.create(email=email, password="!")
    token = generate(key)
    values = {
        "digest": digest(key, token),
        "next_digest": digest(key, successor(key, token)),
        "created_at": now,
        "rotated_at": now,
        "expires_at": now + timedelta(days=1),
        "credential_version": user.credential_version,
    }
    row = Session.objects.create(id=random_id(), selector=selector(token), user=user, **values | columns)
    return Device(row, token)


def open_devices(number: int) -> list[Device]:
    return [open_device(f"alice{n}@example.com") for n in range(number)]


class EventLoop:
    """An event loop with a pool of connections, as a worker has it.

    With one connection, the first of many statements is sent alone, and all others wait for it and are a batch.
    """

    def __init__(self, connections: int, statements: Sequence[BatchedStatement]) -> None:
        self.loop = uvloop.new_event_loop()
        self.pool = AsyncPool(statements, self.loop, connections)
        self.took: list[float] = []
        while len(self.pool.connections) < connections:
            self.loop.run_until_complete(asyncio.sleep(0.01))

    @property
    def connection(self) -> AsyncConnection:
        """The only connection."""
        [only] = self.pool.connections
        return only

    def fetch_all(self, queries: list[Query]) -> list[Rows | BaseException]:
        """Return the rows or the exception of each statement; all are sent at once. `took` has the seconds of each."""
        began, took = time.monotonic(), dict[int, float]()

        async def fetch(number: int, query: Query) -> Rows:
            try:
                return await self.pool.fetch(query)
            finally:
                took[number] = time.monotonic() - began

        async def gather() -> list[Rows | BaseException]:
            return await asyncio.gather(*[fetch(*each) for each in enumerate(queries)], return_exceptions=True)

        answers = self.loop.run_until_complete(asyncio.wait_for(gather(), 30))
        self.took = [took[number] for number in range(len(queries))]
        return answers

    def refresh_all(self, tokens: list[UUID]) -> list[int | None]:
        """Return the session that each token was rotated in, None without one; raises what a request would."""
        found: list[int | None] = []
        for answer in self.fetch_all([refresh_query(token) for token in tokens]):
            if isinstance(answer, BaseException):
                raise answer
            found.append(answer[0][0] if answer else None)
        return found

    def close(self) -> None:
        self.pool.connector.shutdown(cancel_futures=True)
        self.loop.run_until_complete(asyncio.sleep(0.01))  # takes a connection that was just opened into the pool
        for line in list(self.pool.connections):
            line.close(ConnectionLost())
        self.loop.close()


@contextmanager
def event_loop(connections: int = 1, statements: Sequence[BatchedStatement] = ()) -> Iterator[EventLoop]:
    running = EventLoop(connections, statements or event_loop_statements())
    try:
        yield running
    finally:
        running.close()


def other_connection() -> "psycopg.Connection[tuple[Any, ...]]":
    """Return a connection of another client to the database of the test."""
    at = connection.settings_dict
    name, host, port, user = (str(at[key]) for key in ("NAME", "HOST", "PORT", "USER"))
    return psycopg.connect(dbname=name, host=host, port=port, user=user, password=at["PASSWORD"], autocommit=True)


@contextmanager
def locked(*devices: Device) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """Hold locks on the rows of these sessions, as a stuck transaction would."""
    with other_connection() as holder:
        holder.autocommit = False
        ids = [device.session.pk for device in devices]
        holder.execute("SELECT FROM latchkey_session WHERE id = ANY(%s) FOR UPDATE", [ids])
        yield holder


def writers(devices: list[Device]) -> list[str]:
    """Return the id of the transaction that wrote each row last: rows of one statement have the same."""
    with other_connection() as reader:
        rows = reader.execute("SELECT id, xmin::text FROM latchkey_session").fetchall()
    by_id = {int(row[0]): str(row[1]) for row in rows}
    return [by_id[device.session.pk] for device in devices]
