"""GET, PUT and PATCH /api/me/"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from tests.people import Person
from tests.problems import assert_problem

CHANGES = pytest.mark.parametrize("method", ["PUT", "PATCH"])


def change(person: Person, method: str, **fields: Any) -> httpx.Response:
    return person.http.request(method, "/api/me/", json=fields, headers=person.bearer())


def assert_record(answer: httpx.Response, person: Person, username: str) -> None:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text == f'{{"id": {person.id}, "username": "{username}", "email": "{person.email}"}}'


@pytest.mark.ledger("ASVS-15.3.1", "ASVS-14.2.6")
def test_me_returns_id_username_and_email_of_the_caller(alice: Person, bob: Person) -> None:
    assert_record(alice.me(), alice, "")
    assert_record(bob.me(), bob, "")


@pytest.mark.ledger("RFC6750-3-1", "RFC6750-3-2", "RFC9110-15.5.2")
def test_me_requires_a_token(http: httpx.Client, alice: Person) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
        assert_problem(http.request(method, "/api/me/", json={"username": "x"}), 401, "not_authenticated")
    assert_record(alice.me(), alice, "")


@CHANGES
@pytest.mark.parametrize("name", ["John Smith", "", "Zoë 🔑", "名前", "x" * 150])
def test_me_stores_a_display_name(alice: Person, bob: Person, method: str, name: str) -> None:
    assert_record(change(alice, method, username=name), alice, name)
    assert_record(alice.me(), alice, name)
    assert_record(bob.me(), bob, "")


def test_display_names_are_not_unique(alice: Person, bob: Person) -> None:
    assert_record(change(alice, "PUT", username="John Smith"), alice, "John Smith")
    assert_record(change(bob, "PUT", username="John Smith"), bob, "John Smith")


@CHANGES
def test_me_refuses_a_display_name_of_151_characters(alice: Person, method: str) -> None:
    assert_problem(change(alice, method, username="x" * 151), 400, "invalid", ["username"])
    assert_record(alice.me(), alice, "")


def test_me_put_requires_username_and_patch_does_not(alice: Person) -> None:
    change(alice, "PUT", username="John Smith")
    assert_problem(change(alice, "PUT"), 400, "invalid", ["username"])
    assert_record(change(alice, "PATCH"), alice, "John Smith")


@pytest.mark.ledger("ASVS-8.2.3", "ASVS-15.3.3")
@CHANGES
def test_me_changes_nothing_but_the_display_name(alice: Person, bob: Person, method: str) -> None:
    before = User.objects.values().get(pk=alice.id)
    forbidden = {"id": bob.id, "email": "root@example.com", "is_staff": True, "is_superuser": True, "password": "x"}
    assert_record(change(alice, method, username="John Smith", **forbidden), alice, "John Smith")
    assert User.objects.values().get(pk=alice.id) == before | {"username": "John Smith"}


@CHANGES
def test_me_change_of_the_display_name_ends_no_session(alice: Person, method: str) -> None:
    change(alice, method, username="John Smith")
    assert alice.me().status_code == alice.try_refresh().status_code == 200


def test_me_takes_one_statement_to_read_and_two_to_write(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    (read,) = statements(alice.me)
    assert read.startswith("SELECT")
    assert len(statements(lambda: change(alice, "PUT", username="John Smith"))) == 2
    assert len(statements(lambda: alice.me("not.a.token"))) == 0


@pytest.mark.ledger("H-HDR-04")
def test_me_ignores_range_and_conditional_headers(alice: Person) -> None:
    for header in ("Range: bytes=0-3", "If-None-Match: *", "If-Modified-Since: Wed, 21 Oct 2099 07:28:00 GMT"):
        name, value = header.split(": ")
        assert_record(alice.http.get("/api/me/", headers=alice.bearer() | {name: value}), alice, "")
