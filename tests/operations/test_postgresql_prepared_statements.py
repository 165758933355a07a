"""Prepared statements of refresh and me: preparation, loss, transactions and schema changes."""

import httpx
import pytest

from tests.people import Person
from tests.postgres import Postgres
from tests.server import Server

PLANS = """
from django.db import DatabaseError, connection
from latchkey.core import clock
from latchkey.sessions.models import Session
plans = lambda: {name for name, in connection.connection.execute("SELECT name FROM pg_prepared_statements")}
bearer = lambda: next(iter(Session.objects.session_user_query(1, clock.now()).fetch()), None)
"""


@pytest.mark.parametrize("options", ["", "?prepared_statements=off"])
def test_statements_are_prepared_unless_prepared_statements_is_off(server: Server, options: str) -> None:
    server.environment["DATABASE_URL"] += options
    printed = server.shell(f"{PLANS}\nbearer()\nprint('latchkey_bearer' in plans())")
    assert printed.strip() == str(not options)


def test_deallocated_prepared_statement_is_prepared_again(server: Server) -> None:
    lost = "connection.connection.execute('DEALLOCATE ALL')"
    printed = server.shell(f"{PLANS}\nbearer()\n{lost}\nprint(bearer())\nbearer()\nprint('latchkey_bearer' in plans())")
    assert printed.split() == ["None", "True"]


def test_prepared_statement_in_an_atomic_block_begins_the_transaction(server: Server) -> None:
    rolled_back = """
from django.db import transaction
with transaction.atomic():
    bearer()
    print(connection.connection.info.transaction_status.name)
"""
    assert server.shell(PLANS + rolled_back).strip() == "INTRANS"


def test_me_and_refresh_work_after_a_column_change_invalidates_prepared_plans(
    server: Server, postgres: Postgres
) -> None:
    database = server.environment["DATABASE_URL"].rpartition("/")[2]
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
        before = alice.me().content
        postgres.sql("ALTER TABLE latchkey_user ALTER COLUMN email TYPE varchar(300)", database)
        assert [alice.me().content for _ in range(3)] == [before] * 3
        alice.refresh()
    assert "database.unavailable" not in server.log.read_text()
