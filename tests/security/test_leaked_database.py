"""A leaked database signs nobody in: no column contains a token or a password."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person
from tests.problems import assert_problem


def every_value() -> list[Any]:
    """Return the value of every column of every row of every table."""
    values: list[Any] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            values += [value for row in cursor.fetchall() for value in row]
    return [bytes(value) if isinstance(value, memoryview) else value for value in values]


@pytest.mark.ledger("RFC9700-4.14-1", "RFC9700-4.9-1", "NIST-3.1.1.2-16")
def test_database_columns_contain_no_token_or_password(alice: Person) -> None:
    alice.refresh().login().refresh()
    values = every_value()
    text = "\n".join(str(value) for value in values)
    raw = b"\n".join(value for value in values if isinstance(value, bytes))
    assert alice.email in text
    for token in (*alice.spent, alice.refresh_token):
        known = UUID(token)
        assert known.int not in values
        assert not any(form in text.lower() for form in (token, known.hex, str(known.int), known.hex[16:]))
        assert known.bytes not in raw
        assert known.bytes[8:] not in raw
    assert alice.access_token.rpartition(".")[2] not in text
    assert PASSWORD not in text


@pytest.mark.ledger("H-UUID-08")
def test_stored_digests_are_not_accepted_as_tokens(alice: Person) -> None:
    session = Session.objects.get()
    for digest in (bytes(session.digest), bytes(session.next_digest)):
        assert_problem(alice.try_refresh(str(UUID(bytes=digest[:16]))), 401, "invalid_refresh_token")
        assert_problem(alice.try_refresh(digest.hex()), 400, "invalid", ["refresh_token"])
        assert_problem(alice.me(digest.hex()), 401, "invalid_token")
    assert alice.me().status_code == alice.try_refresh().status_code == 200
