"""Constant-time comparison: secrets are looked up by selector and keyed digest, never compared with ==."""

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

COMPARED_SECRETS = [
    *(
        "accounts/models.py",
        "admin/application_actions.py",
        "admin/application_actions.py",
        "admin/reauthentication.py",
    ),
    *("api_keys/api_key.py", "management/commands/users.py", "passwords/pages.py", "tokens/access_token.py"),
]
"""Two forms of a password that was typed; the name of a button and the id of the newest secret; the name of a route;
the checksum of an API key, which anybody can calculate (its digest is what proves it); the name of a column; two
passwords that the same person has typed; and the type of a token."""


def comparisons() -> list[str]:
    """Return the file of each == and != with a name of a secret on a side, unless it compares lengths or presence."""
    found = []
    for file, node in walk_nodes():
        if isinstance(node, ast.Compare) and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Call) and getattr(side.func, "id", None) in ("len", "bool") for side in sides):
                continue
            names = [ast.unparse(side) for side in sides]
            if any(SECRET.search(name.rpartition(".")[2]) for name in names):
                found.append(file)
    return found


@pytest.mark.ledger("ASVS-11.2.4")
def test_package_compares_no_secret_with_the_equality_operator() -> None:
    assert {file for file, _ in find_calls("compare_digest")} == {
        "email_codes/one_time_codes.py",
        "factor_recovery/cancel.py",
        "idempotency/stored_keys.py",
        "passkeys/assertion.py",
        "passkeys/responses.py",
        "sessions/refresh.py",
        "users_api/cursors.py",
    }
    assert sorted(comparisons()) == COMPARED_SECRETS


@pytest.mark.ledger("ASVS-11.2.4")
def test_refresh_statement_finds_the_session_by_selector_and_keyed_digest(alice: Person) -> None:
    token = UUID(alice.refresh_token)
    with CaptureQueriesContext(connection) as captured:
        alice.refresh()
    (sql,) = [query["sql"] for query in captured.captured_queries if "UPDATE" in query["sql"]]
    assert "selector" in sql
    assert "digest" in sql
    for secret in (token.hex, str(token), token.hex[-15:], str(token.int)):
        assert secret not in sql.lower()


@pytest.mark.ledger("ASVS-11.2.4")
def test_digest_of_a_near_guess_differs_within_the_first_five_bytes() -> None:
    key, token = secrets.token_bytes(32), uuid4()
    right = digest(key, token)
    for bit in range(62):
        near = digest(key, UUID(int=token.int ^ 1 << bit))
        alike = [left == other for left, other in zip(near, right, strict=True)]
        assert False in alike[:5]
