"""POST /api/register/: validation, password policy and the created account."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person
from tests.problems import assert_problem


def register(http: httpx.Client, **fields: Any) -> httpx.Response:
    return http.post("/api/register/", json={"password": PASSWORD, "email": "alice@example.com", **fields})


@pytest.mark.ledger("ASVS-15.3.1")
def test_register_returns_only_id_and_email(http: httpx.Client) -> None:
    answer = register(http)
    user = User.objects.get()
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text == f'{{"id": {user.pk}, "email": "alice@example.com"}}'
    assert "Set-Cookie" not in answer.headers


@pytest.mark.ledger("ASVS-7.6.2")
def test_register_creates_an_active_user_without_privileges_name_or_session(http: httpx.Client) -> None:
    register(http)
    user = User.objects.get()
    assert (user.is_active, user.is_staff, user.is_superuser, user.username) == (True, False, False, "")
    assert not Session.objects.exists()


@pytest.mark.hashing
@pytest.mark.ledger("NIST-3.1.1.2-16", "CS-PW-1")
def test_register_stores_a_salted_argon2id_hash(http: httpx.Client) -> None:
    register(http)
    register(http, email="bob@example.com")
    first, second = User.objects.values_list("password", flat=True)
    assert first.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second


@pytest.mark.ledger("ASVS-8.2.3", "ASVS-15.3.3")
def test_register_ignores_privileged_and_unknown_fields(http: httpx.Client) -> None:
    extras = {"id": 77, "is_staff": True, "is_superuser": True, "is_active": False, "username": "root"}
    assert register(http, **extras, credential_version=9, groups=[1]).status_code == 201
    user = User.objects.get()
    assert user.pk != 77
    assert (user.is_active, user.is_staff, user.is_superuser, user.username) == (True, False, False, "")
    assert user.credential_version == 0


def test_register_refuses_an_email_that_has_an_account(http: httpx.Client) -> None:
    assert register(http).status_code == 201
    assert_problem(register(http, password="another long password"), 400, "email_taken", ["email"])
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.ledger("ASVS-6.2.1")
@pytest.mark.parametrize(("length", "status"), [(7, 400), (8, 201)])
def test_register_requires_a_password_of_eight_characters(http: httpx.Client, length: int, status: int) -> None:
    answer = register(http, password="é" * length)
    assert answer.status_code == status
    if status == 400:
        assert_problem(answer, 400, "password_too_short", ["password"])


def test_register_accepts_the_documented_example_password(http: httpx.Client) -> None:
    assert register(http, password="password").status_code == 201


@pytest.mark.ledger("NIST-3.1.1.2-1", "NIST-3.1.1.2-4", "ASVS-6.2.1")
@pytest.mark.parametrize(("password", "status"), [("🔑" * 14, 400), ("🔑" * 15, 201)])
def test_register_counts_the_password_minimum_in_code_points(
    http: httpx.Client, set_policy: Callable[..., None], password: str, status: int
) -> None:
    set_policy(password_min_length=15)
    assert register(http, password=password).status_code == status


@pytest.mark.ledger("NIST-3.1.1.2-10", "NIST-3.1.1.2-11", "NIST-3.1.1.2-12")
def test_register_refuses_common_passwords_while_the_blocklist_is_on(
    http: httpx.Client, set_policy: Callable[..., None]
) -> None:
    set_policy(password_blocklist=True)
    for common in ("password", "PASSWORD", " password "):
        assert_problem(register(http, password=common), 400, "password_too_common", ["password"])
    assert not User.objects.exists()
    assert register(http, password="password of the north wind").status_code == 201


def test_register_answers_403_while_registration_is_closed(http: httpx.Client, set_policy: Callable[..., None]) -> None:
    set_policy(registration_open=False)
    assert_problem(register(http), 403, "registration_closed")
    assert not User.objects.exists()
    set_policy(registration_open=True)
    assert register(http).status_code == 201


def test_register_takes_at_most_four_statements(
    http: httpx.Client, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    sent = statements(lambda: Person(http, "alice@example.com").register())
    assert 1 <= len(sent) <= 4
    assert any(sql.startswith('INSERT INTO "latchkey_user"') for sql in sent)
