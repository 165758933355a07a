"""Prepared statements of refresh and me: preparation, loss, transactions and schema changes."""

import httpx
import pytest

from latchkey.db.postgresql.connection import statement_name
from latchkey.db.statements import PreparedStatement
from tests.people import Person
from tests.postgres import Postgres
from tests.server import Server

PLANS = """
from django.db import DatabaseError, connection
from latchkey.core import clock
from latchkey.sessions.models import Session
names = lambda: [name for name, in connection.connection.execute("SELECT name FROM pg_prepared_statements")]
plans = lambda: {name.rpartition("_")[0] for name in names()}
bearer = lambda: next(iter(Session.objects.session_user_query(1, clock.now()).fetch()), None)
"""


@pytest.mark.parametrize("options", ["", "?prepared_statements=off"])
def test_statements_are_prepared_unless_prepared_statements_is_off(server: Server, options: str) -> None:
    server.environment["DATABASE_URL"] += options
    printed = server.shell(f"{PLANS}\nbearer()\nprint('latchkey_bearer' in plans())")
    assert printed.strip() == str(not options)


def test_lost_prepared_statement_is_executed_without_preparing_it_again(server: Server) -> None:
    lost = "connection.connection.pgconn.exec_(b'DEALLOCATE ALL')"
    printed = server.shell(f"{PLANS}\nbearer()\n{lost}\nprint(bearer())\nbearer()\nprint('latchkey_bearer' in plans())")
    assert printed.split()[-2:] == ["None", "False"]
    assert "database.prepared_statements_off" in printed


PREPARED_BY_DJANGO = """
from django.db import OperationalError
from latchkey.accounts.models import User
count = lambda: User.objects.filter(email="x@example.com").count()
for _ in range(8):
    count()
print(sorted(names()))
connection.connection.pgconn.exec_(b"DEALLOCATE ALL")  # psycopg would notice it
try:
    count()
except OperationalError as error:
    print(type(error.__cause__).__name__)
connection.close_if_unusable_or_obsolete()
for _ in range(8):
    count()
print(names())
"""


def test_statement_of_django_that_a_pooler_lost_is_an_outage_and_prepared_no_more(server: Server) -> None:
    printed = server.shell(PLANS + PREPARED_BY_DJANGO)
    assert "PreparedStatementLost" in printed
    assert printed.splitlines()[-1] == "[]"
    assert "latchkey_psycopg_" in printed
    assert "_pg3_" not in printed


def test_name_of_a_prepared_statement_changes_with_its_sql_and_types() -> None:
    names = {
        statement_name("rotate", b"SELECT $1"),
        statement_name("rotate", b"SELECT $1 "),
        statement_name("rotate", b"SELECT $1", (23,)),
        PreparedStatement("rotate", "SELECT %(id)s", int).name,
        PreparedStatement("rotate", "SELECT %(id)s + 0", int).name,
    }
    assert len(names) == 4  # the second last is the first
    assert all(len(name) < 64 for name in names)  # PostgreSQL cuts longer ones


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
