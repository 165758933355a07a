"""Query plans: every statement of the hot endpoints uses an index, so that its cost does not grow with the table."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from latchkey.api_keys.verification import verify_key
from latchkey.applications.models import ClientCredential, hash_secret
from tests.api_keys.requests import create, create_application, create_of_application, grant_scopes
from tests.people import Person

Statement = tuple[str, Any]
WHOLE = re.compile(r"Seq Scan on latchkey_|SCAN (latchkey_\w+|s|u|k|a|mine|given)\b")
"""A full table scan in a query plan of PostgreSQL or SQLite."""

REQUESTS: dict[str, Callable[[Person], Any]] = {
    "refresh": lambda person: person.refresh(),
    "retry": lambda person: person.try_refresh(person.spent[-1]),
    "me": lambda person: person.me(),
    "login": lambda person: person.login(),
    "verify": lambda person: person.http.get("/api/verify/", headers=person.bearer()),
    "introspect an access token": lambda person: introspect(person, person.access_token),
    "introspect a refresh token": lambda person: introspect(person, person.refresh_token),
    "revoke": lambda person: person.http.post("/api/revoke/", data={"token": person.access_token}),
    "logout": lambda person: person.logout(),
}


OWNERS = ("person", "application")


def introspect(person: Person, token: str) -> None:
    answer = person.http.post("/api/introspect/", data={"token": token}, auth=("payments", "a secret"))
    assert answer.json()["active"] is True


def capture_statements(act: Callable[[], Any]) -> Iterator[Statement]:
    """Return the statements, except INSERTs, that a call sends to Latchkey's tables, with their parameters."""
    seen: list[Statement] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        act()
    return (each for each in seen if "latchkey_" in each[0] and not each[0].startswith("INSERT"))


def query_plan(statement: Statement) -> str:
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # the table of a test is too small for an index to pay
        cursor.execute(f"{explain} {statement[0]}", statement[1])
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.mark.parametrize("endpoint", REQUESTS)
def test_statements_of_session_and_token_endpoints_use_an_index(alice: Person, bob: Person, endpoint: str) -> None:
    alice.refresh()
    ClientCredential.objects.create(client_id="payments", digest=hash_secret("a secret"))
    plans = [query_plan(statement) for statement in capture_statements(lambda: REQUESTS[endpoint](alice))]
    assert plans
    for plan in plans:
        assert not WHOLE.search(plan), plan


@pytest.mark.parametrize("owner", OWNERS)
def test_statements_of_an_api_key_use_an_index(alice: Person, owner: str) -> None:
    grant_scopes(alice, "users:read")
    application = create_application("billing", ["users:read"])
    key = create(alice, "users:read")["key"] if owner == "person" else create_of_application(application, "users:read")
    plans = [query_plan(statement) for statement in capture_statements(lambda: verify_key(key))]
    assert len(plans) == 2
    for plan in plans:
        assert not WHOLE.search(plan), plan


def test_full_table_scan_is_recognized_in_a_query_plan(alice: Person) -> None:
    for table, column in (("latchkey_session AS s", "user_agent"), ("latchkey_user", "username")):
        assert WHOLE.search(query_plan((f"SELECT * FROM {table} WHERE {column} = %s", ["x"])))
