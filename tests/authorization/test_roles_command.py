"""latchkey roles: roles, their members and custom claims on the command line."""

import io
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from latchkey.authorization.models import Role
from latchkey.authorization.scopes import scopes_by_role
from tests.authorization.members import said
from tests.people import Person

pytestmark = pytest.mark.django_db


def roles(*arguments: str) -> str:
    output = StringIO()
    call_command("roles", *arguments, stdout=output)
    return output.getvalue()


def exit_code(*arguments: str) -> Any:
    with pytest.raises(SystemExit) as end:
        roles(*arguments)
    return end.value.code


def test_roles_are_added_changed_listed_and_removed(alice: Person) -> None:
    assert roles("list") == "There are no roles. 'latchkey roles add NAME' creates one.\n"
    roles("add", "editor", "--description", "Edits pages", "--scope", "users:read")
    assert roles("set", "editor", "--scope", "users:write", "--remove-scope", "users:read") == (
        "The role 'editor' is changed.\n"
    )
    assert scopes_by_role() == {"editor": {"users:write"}}
    roles("grant", "editor", alice.email)
    assert roles("list") == "editor  1 user; scopes: users:write; Edits pages\n"
    assert roles("remove", "editor", "--yes") == "The role 'editor' is deleted. 1 user had it.\n"
    assert said(alice.refresh().access_token) == {}


def test_role_is_removed_only_after_yes_to_a_question_that_says_how_many_have_it(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles("add", "editor")
    roles("grant", "editor", alice.email)
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "no"

    monkeypatch.setattr("builtins.input", answer)
    with pytest.raises(ImproperlyConfigured, match="No role was deleted"):
        roles("remove", "editor")
    assert "takes the role 'editor' away from 1 user" in asked[0]
    assert Role.objects.exists()


def test_grant_and_revoke_take_addresses_in_any_spelling_and_name_unknown_ones(
    alice: Person, bob: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    roles("add", "editor")
    assert exit_code("grant", "editor", "Alice@EXAMPLE.com", "nobody@example.com", "no address") == 1
    errors = capsys.readouterr().err
    assert "There is no user with the e-mail address 'nobody@example.com'." in errors
    assert "'no address' is not a valid e-mail address." in errors
    assert roles("grant", "editor", alice.email, bob.email) == "Granted 'editor' to 1 user, 1 had it already.\n"
    assert roles("members", "editor") == f"{alice.email}\n{bob.email}\n"
    assert roles("revoke", "editor", alice.email, bob.email) == "Revoked 'editor' of 2 users.\n"
    assert roles("members", "editor") == ""


def test_addresses_come_from_a_file_or_standard_input(
    alice: Person, bob: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles("add", "editor")
    file = tmp_path / "people.txt"
    file.write_text(f"\ufeff{alice.email}\r\n\n  {bob.email}", encoding="utf-8")
    assert roles("grant", "editor", "--file", str(file)) == "Granted 'editor' to 2 users.\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{alice.email}\n"))
    assert roles("revoke", "editor", "--file", "-") == "Revoked 'editor' of 1 user.\n"
    assert said(bob.refresh().access_token) == {"roles": ["editor"]}


def test_user_whose_roles_would_be_too_long_costs_the_others_nothing(
    alice: Person, bob: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(16):
        roles("add", name := f"{number:x}".ljust(64, "z"))
        assert (exit_code if number == 15 else roles)("grant", name, alice.email, *([bob.email] * (number == 15)))
    assert f"{alice.email}: The names of all roles of a user" in capsys.readouterr().err
    assert len(said(bob.refresh().access_token)["roles"]) == 1


def test_claims_are_shown_replaced_and_deleted(alice: Person) -> None:
    assert json.loads(roles("claims", alice.email)) == {}
    assert roles("claims", alice.email, '{"department": "sales"}') == f"The claims of {alice.email} are replaced.\n"
    assert json.loads(roles("claims", alice.email)) == {"department": "sales"}
    assert roles("show", alice.email) == 'roles: none\nclaims: {"department": "sales"}\n'
    assert roles("claims", alice.email, "--clear") == f"The claims of {alice.email} are deleted.\n"
    assert roles("claims", alice.email, "--clear") == f"The claims of {alice.email} were like that already.\n"
    assert said(alice.refresh().access_token) == {}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "editor"), "There is a role 'editor' already"),
        (("add", "Editor"), "is not a valid name for a role"),
        (("add", "viewer", "--scope", "nope"), "There is no scope 'nope'"),
        (("add", "viewer", "--description", "x" * 201), "at most 200 characters"),
        (("set", "editor"), "Nothing is to be changed"),
        (("set", "editor", "--remove-scope", "users:read"), "does not have the scope"),
        (("set", "nope", "--description", ""), "There is no role 'nope'. Roles: editor."),
        (("remove", "nope"), "There is no role 'nope'"),
        (("grant", "nope", "alice@example.com"), "There is no role 'nope'"),
        (("grant", "editor"), "Nobody is named"),
        (("grant", "editor", "--file", "/nowhere"), "'/nowhere' cannot be read"),
        (("members", "nope"), "There is no role 'nope'"),
        (("show", "nobody@example.com"), "There is no user with the e-mail address"),
        (("claims", "alice@example.com", "{"), "This is no JSON object"),
    ],
)
def test_wrong_input_is_answered_with_a_sentence(alice: Person, arguments: tuple[str, ...], sentence: str) -> None:
    """`latchkey` prints it and exits with 2."""
    roles("add", "editor")
    with pytest.raises(ImproperlyConfigured, match=sentence):
        roles(*arguments)


def test_wrong_options_are_refused() -> None:
    for arguments in ((), ("rename", "a"), ("add",), ("claims", "a@example.com", "{}", "--clear")):
        with pytest.raises(CommandError):
            roles(*arguments)
