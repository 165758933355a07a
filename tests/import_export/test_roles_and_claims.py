"""Roles and custom claims in an import and an export, so that a move keeps them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from latchkey.accounts.models import User
from latchkey.authorization.models import UserRole
from tests.authorization.members import claim, grant, role, said
from tests.import_export.conftest import ImportRun, to_csv
from tests.people import PASSWORD, Person

Import = Callable[..., ImportRun]
CLAIMS = {"department": "sales", "né": [1, {"a": True}]}


def test_imported_roles_and_claims_are_in_the_first_token(http: Any, import_users: Import) -> None:
    for name in ("viewer", "editor"):
        role(name)
    person = {"email": "alice@example.com", "password": PASSWORD, "roles": ["viewer", "editor"], "claims": CLAIMS}
    assert import_users(person, {"email": "bob@example.com", "password": PASSWORD}).counts == (2, 0, 0)
    token = Person(http, "alice@example.com").login().access_token
    assert said(token) == {"roles": ["editor", "viewer"], "claims": CLAIMS}
    assert said(Person(http, "bob@example.com").login().access_token) == {}
    assert UserRole.objects.count() == 2


def test_roles_and_claims_of_a_csv_file_are_texts(import_users: Import) -> None:
    role("editor")
    role("viewer")
    record = {"email": "alice@example.com", "roles": "viewer  editor", "claims": json.dumps(CLAIMS)}
    empty = {"email": "bob@example.com", "roles": "", "claims": " "}
    assert import_users(to_csv(record, empty), name="users.csv").counts == (2, 0, 0)
    stored = dict(User.objects.values_list("email", "token_claims"))
    assert json.loads(stored["alice@example.com"]) == {"roles": ["editor", "viewer"], "claims": CLAIMS}
    assert stored["bob@example.com"] == ""


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"roles": ["nope"]}, "roles: There is no role 'nope'."),
        ({"roles": "editor nope"}, "roles: There is no role 'nope'."),
        ({"roles": ["Editor"]}, "roles: These must be names of roles"),
        ({"roles": [1]}, "roles: These must be names of roles"),
        ({"roles": {"a": 1}}, "roles: This must be text."),
        ({"roles": [f"{number:x}".ljust(64, "z") for number in range(16)]}, "roles: The names of all roles"),
        ({"claims": []}, "claims: Custom claims are a JSON object."),
        ({"claims": "{"}, "claims: This is no JSON object"),
        ({"claims": {"a": "x" * 1_024}}, "claims: Custom claims have at most 1,024 bytes"),
        ({"claims": {"a": 1e300}}, "claims: Numbers in custom claims"),
    ],
)
def test_line_with_wrong_roles_or_claims_is_rejected_with_a_sentence(
    import_users: Import, tmp_path: Path, values: dict[str, Any], sentence: str
) -> None:
    role("editor")
    rejects = tmp_path / "bad.txt"
    done = import_users(
        {"email": "alice@example.com", **values},
        {"email": "bob@example.com", "roles": ["editor"]},
        options=("--rejects", str(rejects)),
    )
    assert (done.exit_code, done.counts) == (1, (1, 0, 1))
    assert rejects.read_text().startswith(f"line 1: {sentence}")
    assert list(User.objects.values_list("email", "token_claims")) == [("bob@example.com", '{"roles":["editor"]}')]


def test_import_changes_no_roles_and_claims_of_a_user_who_exists(alice: Person, import_users: Import) -> None:
    role("editor")
    assert import_users({"email": alice.email, "roles": ["editor"], "claims": CLAIMS}).counts == (0, 1, 0)
    assert said(alice.refresh().access_token) == {}
    assert not UserRole.objects.exists()


def token_claims() -> dict[str, Any]:
    """Return what tokens say by address; PostgreSQL stores the names of an object in an order of its own."""
    return {email: json.loads(text or "{}") for email, text in User.objects.values_list("email", "token_claims")}


@pytest.mark.hashing
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_export_and_import_keep_roles_and_claims(alice: Person, bob: Person, tmp_path: Path, form: str) -> None:
    grant(alice, "editor", "viewer")
    claim(alice, CLAIMS)
    before = token_claims()
    file = tmp_path / f"all.{form}"
    call_command("users", "export", str(file))
    User.objects.all().delete()
    assert not UserRole.objects.exists()
    assert ImportRun(file).counts == (2, 0, 0)
    assert token_claims() == before
    assert sorted(UserRole.objects.values_list("role__name", "user__email")) == [
        ("editor", alice.email),
        ("viewer", alice.email),
    ]
    assert said(Person(alice.http, alice.email).login().access_token)["claims"] == CLAIMS
    assert User.objects.get(email=bob.email).token_claims == ""
