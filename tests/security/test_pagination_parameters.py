"""Pagination and query parameters: the API ignores forged ones, and the admin passes only numbers to the database."""

from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from latchkey.core.crypto import read_or_create_secret
from tests.people import Person
from tests.support.admin_pages import EVENTS, MAILS, SESSIONS, USERS, Browser
from tests.support.endpoints import nothing_changes

NAMES = ["cursor", "page_token", "page", "page_size", "limit", "offset", "after", "before", "since", "order", "q"]
FORGED = ["1", "-1", "eyJpZCI6MX0=", "1' OR '1'='1", "1;DROP TABLE latchkey_user--", "0 UNION SELECT 1", "9" * 400, "é"]


@pytest.mark.ledger("REG-KRATOS-02", "REG-HYDRA-01")
def test_openapi_document_lists_parameters_of_the_known_operations_only(http: httpx.Client) -> None:
    document = http.get("/api-doc/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    taken = {
        (method, path): {parameter["name"] for parameter in operation["parameters"]}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "parameters" in operation
    }
    assert taken == {
        ("delete", "/api/sessions/"): {"all"},
        ("delete", "/api/sessions/{session_id}/"): {"session_id"},
        ("get", "/api/me/events/"): {"before"},
        ("get", "/api/verify/"): {"acr", "audience", "max_age", "role", "scope"},
        ("delete", "/api/me/passkeys/{passkey_id}/"): {"passkey_id"},
        ("patch", "/api/me/passkeys/{passkey_id}/"): {"passkey_id"},
        ("delete", "/api/me/keys/{key_id}/"): {"key_id"},
        ("post", "/api/refresh/"): {"Idempotency-Key"},
        ("post", "/api/browser/refresh/"): {"Idempotency-Key"},
        ("get", "/api/users/"): {"created_after", "created_before", "cursor", "email", "limit", "role", "state"},
        ("post", "/api/users/"): {"Idempotency-Key"},
        ("get", "/api/users/{user_id}/"): {"user_id"},
        ("patch", "/api/users/{user_id}/"): {"user_id"},
        ("delete", "/api/users/{user_id}/"): {"user_id"},
        ("get", "/api/users/{user_id}/roles/"): {"user_id"},
        ("put", "/api/users/{user_id}/roles/{role}/"): {"role", "user_id"},
        ("delete", "/api/users/{user_id}/roles/{role}/"): {"role", "user_id"},
        ("get", "/api/users/{user_id}/claims/"): {"user_id"},
        ("put", "/api/users/{user_id}/claims/"): {"user_id"},
        ("get", "/api/users/{user_id}/sessions/"): {"user_id"},
        ("delete", "/api/users/{user_id}/sessions/"): {"user_id"},
        ("delete", "/api/users/{user_id}/sessions/{session_id}/"): {"session_id", "user_id"},
        ("post", "/api/users/{user_id}/password-reset/"): {"user_id"},
        ("post", "/api/users/{user_id}/verification/"): {"user_id"},
        ("get", "/api/users/{user_id}/factors/"): {"user_id"},
        ("delete", "/api/users/{user_id}/factors/"): {"user_id"},
        ("get", "/api/users/{user_id}/events/"): {"before", "user_id"},
        ("get", "/api/users/{user_id}/keys/"): {"user_id"},
        ("delete", "/api/users/{user_id}/keys/{key_id}/"): {"key_id", "user_id"},
        ("post", "/api/users/{user_id}/unlock/"): {"user_id"},
    }


@pytest.mark.ledger("REG-KRATOS-02", "REG-HYDRA-01")
@pytest.mark.parametrize("path", ["/api/me/", "/api/", "/livez", "/readyz"])
def test_endpoints_without_pagination_ignore_forged_cursors(alice: Person, path: str) -> None:
    plain = alice.http.get(path, headers=alice.bearer())
    for name, value in product(NAMES, FORGED):
        answer = alice.http.get(path, params={name: value}, headers=alice.bearer())
        assert (answer.status_code, answer.content) == (200, plain.content)


@pytest.mark.slow
@pytest.mark.ledger("REG-KRATOS-02", "REG-HYDRA-01")
@pytest.mark.parametrize("page", [USERS, SESSIONS, EVENTS, MAILS])
def test_admin_list_passes_only_numbers_from_its_query_to_the_database(
    admin: Browser, alice: Person, statements: Callable[[Callable[[], Any]], list[str]], page: str
) -> None:
    for name, value in product(["p", "o", "all", "e", "_facets"], FORGED):
        with nothing_changes():
            sent = statements(partial(admin.get, page, {name: value}, follow=True))
        assert sent
        assert value.lstrip("-").isdigit() or not [sql for sql in sent if value in sql]
        assert admin.get(page, {name: value}, follow=True).status_code == 200


@pytest.mark.ledger("REG-KRATOS-02", "REG-HYDRA-01")
def test_generated_secret_keys_are_unique_and_at_least_64_characters(tmp_path: Path) -> None:
    made = {read_or_create_secret(tmp_path / name) for name in ("a", "b", "c")}
    assert len(made) == 3
    assert min(map(len, made)) >= 64
