"""Batches: many executions of one prepared statement, sent to PostgreSQL as one statement.

Requests that come while the same statement is under way share the next one and its commit. One UPDATE of 16 rows costs
PostgreSQL a sixth of 16 of one row (docs/decisions/0043-refreshes-in-batches.md).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from psycopg.pq.abc import PGresult

from latchkey.db.statements import PARAMETER, PreparedStatement

Rows: TypeAlias = list[tuple[Any, ...]]

MAX_BATCH = 64
"""Requests in one batch at most: the row locks of a larger one would last longer for little gain."""

LOCK_WAIT = "100ms"
"""How long a batch waits for a lock (PostgreSQL's lock_timeout). Then it is rolled back, and each of its requests is
sent alone: one locked row must not hold the rows of all others."""

_MARK = "{members}"
_MEMBERS = """(
       SELECT each.* FROM unnest({arrays}) WITH ORDINALITY AS each({names}, number)
        WHERE (SELECT set_config('lock_timeout', '{wait}', true)) IS NOT NULL) AS member, """


class BatchFailed(Exception):
    """A batch was rolled back, and nothing was executed: each of its requests is sent once more, alone."""


class BatchedStatement(PreparedStatement):
    """A prepared statement that a batch can execute for many requests at once; `batch` is that form of it.

    render(members, number) returns the SQL: members is '' or the rows of the batch, to stand before the other tables of
    FROM, and number is '' or the column that says which member a row is for, to stand before all other columns. types
    has PostgreSQL's type of each parameter. No two members of a batch have the same value of the parameter `distinct`.
    """

    def __init__(
        self,
        name: str,
        render: Callable[[str, str], str],
        types: Mapping[str, str],
        *columns: Callable[[Any], Any],
        distinct: str = "",
    ) -> None:
        super().__init__(name, render("", ""), *columns)
        arrays = ", ".join(f"%({parameter})s::{types[parameter]}[]" for parameter in self.parameter_names)
        members = _MEMBERS.format(arrays=arrays, names=", ".join(self.parameter_names), wait=LOCK_WAIT)
        sql = PARAMETER.sub(r"member.\1", render(_MARK, "member.number, ")).replace(_MARK, members)
        self.batch = PreparedStatement(f"{name}_batch", sql, int, *columns)
        self.distinct = self.parameter_names.index(distinct) if distinct else None

    def key(self, member: "PendingQuery") -> object:
        """Return what no two members of a batch have in common."""
        return member if self.distinct is None else member.values[self.distinct]


class PendingQuery:
    """One request that waits for the rows of its statement. `is_alone` tells that it may not be part of a batch."""

    __slots__ = ("arrived_at", "future", "is_alone", "statement", "values")

    def __init__(
        self, statement: PreparedStatement, values: list[bytes], future: "asyncio.Future[Rows]", arrived_at: float
    ) -> None:
        self.statement, self.values, self.future, self.arrived_at = statement, values, future, arrived_at
        self.is_alone = False

    def resolve(self, result: PGresult) -> None:
        """Give the request its rows, unless its client has gone."""
        if not self.future.done():
            self.future.set_result(self.statement.decode(result))

    def fail(self, error: Exception) -> None:
        """Raise an exception in the request, unless its client has gone."""
        if not self.future.done():
            self.future.set_exception(error)


class PendingBatch:
    """The requests that wait for the rows of one statement. A request without a row of its own gets an empty list."""

    __slots__ = ("members", "statement", "values")

    def __init__(self, statement: BatchedStatement, members: Sequence[PendingQuery]) -> None:
        # one order for all batches of all processes: two that share rows wait for each other, and never in a circle
        self.members = sorted(members, key=lambda member: member.values[statement.distinct or 0])
        self.statement = statement.batch
        self.values = [encode_array(values) for values in zip(*[member.values for member in self.members], strict=True)]

    def resolve(self, result: PGresult) -> None:
        """Give each request its own rows: the first column is the number of the member, from 1."""
        found: list[Rows] = [[] for _ in self.members]
        for number, *row in self.statement.decode(result):
            found[number - 1].append(tuple(row))
        for member, rows in zip(self.members, found, strict=True):
            if not member.future.done():
                member.future.set_result(rows)

    def fail(self, error: Exception) -> None:
        """Raise an exception of this kind in each request."""
        for member in self.members:
            member.fail(type(error)(*error.args))


Pending: TypeAlias = PendingQuery | PendingBatch


def encode_array(values: Sequence[bytes]) -> bytes:
    """Return an array in PostgreSQL's text format (manual, section 8.15.2), all elements quoted."""
    return b'{"' + b'","'.join([each.replace(b"\\", b"\\\\").replace(b'"', b'\\"') for each in values]) + b'"}'
