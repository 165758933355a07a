"""Secrets are found by what is no secret, and compared where time tells nothing."""

import ast
import re
import secrets
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from latchkey.tokens.refresh_token import digest
from tests.people import Person
from tests.support.package_ast import find_calls, walk_nodes

SECRET = re.compile(r"digest|secret|password|token|signature|presented|verifier|hash", re.IGNORECASE)

COMPARED_SECRETS = {
    "conf/email.py: bool(user) != bool(password)",  # whether both are there
    "passwords/pages.py: again != self.cleaned_data.get('new_password')",  # both typed by the same person just now
}


def comparisons() -> list[str]:
    """Return every == and != of the package that has a secret by its name on either side."""
    found = []
    for file, node in walk_nodes():
        if isinstance(node, ast.Compare) and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
            sides = [node.left, *node.comparators]
            names = [ast.unparse(side) for side in sides]
            if any(SECRET.search(name.rpartition(".")[2]) for name in names):
                found.append(f"{file}: {ast.unparse(node)}")
    return found


@pytest.mark.ledger("ASVS-11.2.4")
def test_no_secret_is_compared_byte_by_byte_in_python() -> None:
    assert {file for file, _ in find_calls("compare_digest")} == {"sessions/refresh.py"}
    assert set(comparisons()) == COMPARED_SECRETS


@pytest.mark.ledger("ASVS-11.2.4")
def test_a_refresh_token_is_looked_up_by_its_selector_and_a_keyed_digest(alice: Person) -> None:
    token = UUID(alice.refresh_token)
    with CaptureQueriesContext(connection) as captured:
        alice.refresh()
    (sql,) = [query["sql"] for query in captured.captured_queries if "UPDATE" in query["sql"]]
    assert "selector" in sql
    assert "digest" in sql
    for secret in (token.hex, str(token), token.hex[-15:], str(token.int)):
        assert secret not in sql.lower()


@pytest.mark.ledger("ASVS-11.2.4")
def test_what_the_database_compares_tells_nothing_of_how_near_a_guess_was() -> None:
    key, token = secrets.token_bytes(32), uuid4()
    right = digest(key, token)
    for bit in range(62):
        near = digest(key, UUID(int=token.int ^ 1 << bit))
        alike = [left == other for left, other in zip(near, right, strict=True)]
        assert False in alike[:5]
