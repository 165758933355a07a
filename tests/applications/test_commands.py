"""`latchkey applications` and `latchkey scopes`: what they print, and one sentence for each mistake."""

import json
import re
from io import StringIO
from pathlib import Path

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from latchkey.applications.models import Application, ClientCredential
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.roles import create_role
from tests.applications.keys import make_jwk
from tests.oauth.conftest import run_services_command
from tests.support.captured_log import CapturedLog

pytestmark = pytest.mark.django_db
SECRET = r"[\w-]{43}"


def run(*arguments: str) -> str:
    """Run a command and return what it printed."""
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def refused(*arguments: str) -> str:
    """Run a command that is refused, and return the sentence; the command line prints it, with exit code 2."""
    with pytest.raises(ImproperlyConfigured) as refusal:
        run(*arguments)
    return str(refusal.value)


@pytest.fixture
def orders(db: None) -> str:
    """The secret of an application `orders` with a scope and a resource."""
    run("scopes", "add", "orders:read", "--description", "Read all orders.")
    values = ("--scope", "orders:read", "--resource", "https://orders.example/")
    return run("applications", "add", "orders", *values).splitlines()[-1]


def test_applications_add_prints_the_secret_once_on_the_last_line(orders: str, captured_log: CapturedLog) -> None:
    assert re.fullmatch(SECRET, orders)
    output = run("applications", "add", "shop", "--name", "The shop")
    pattern = rf"The application 'shop' is created\.\nThe secret of 'shop', shown only once:\n{SECRET}\n"
    assert re.fullmatch(pattern, output)
    shown = run("applications", "list") + run("applications", "show", "shop") + captured_log.text
    for secret in (orders, output.split()[-1]):
        assert secret not in shown
    assert [(line["event"], line["reason"]) for line in captured_log.lines()] == [
        ("application.created", "shop (command line)"),
        ("service.added", "shop"),
    ]


def test_applications_add_without_a_client_id_makes_one(db: None) -> None:
    created, _, secret = run("applications", "add").splitlines()
    assert re.fullmatch(r"The application 'app-[a-z0-9]{16}' is created\.", created)
    assert re.fullmatch(SECRET, secret)


def test_applications_list_and_show_say_what_there_is(orders: str) -> None:
    assert run("applications", "list") == "orders  service, active; scopes: orders:read\n"
    run("applications", "deactivate", "orders")
    shown = dict(re.findall(r"^([\w ]+): +(.*)$", run("applications", "show", "orders"), re.MULTILINE))
    assert re.fullmatch(r"added \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", shown.pop("secrets"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", shown.pop("created"))
    assert shown == {
        "client id": "orders",
        "name": "none",
        "kind": "service",
        "state": "inactive",
        "scopes": "orders:read",
        "resources": "https://orders.example/",
        "public keys": "none",
        "API keys": "0",
    }


def test_applications_without_any_says_how_to_create_one(db: None) -> None:
    assert "'latchkey applications add' creates one" in run("applications", "list")


def test_applications_set_adds_and_takes_away(orders: str) -> None:
    change = ("--scope", "users:read", "--remove-scope", "orders:read", "--resource", "https://b.example/")
    output = run("applications", "set", "orders", "--name", "Orders", *change)
    assert output == "The application 'orders' is changed: name, resources, scopes.\n"
    row = Application.objects.get()
    assert row.resources == ["https://orders.example/", "https://b.example/"]
    assert [scope.name for scope in row.scopes.all()] == ["users:read"]
    assert run("applications", "set", "orders", "--name", "Orders") == (
        "The application 'orders' was like that already.\n"
    )


def test_applications_with_public_keys_of_files_get_no_secret(tmp_path: Path, db: None) -> None:
    files = []
    for kid in ("a", "b"):
        files.append(tmp_path / kid)
        files[-1].write_text(json.dumps({"keys": [make_jwk(kid=kid)]}))
    options = [word for file in files for word in ("--public-keys", str(file))]
    assert run("applications", "add", "signer", *options) == "The application 'signer' is created.\n"
    assert "a (ES256), b (ES256)" in run("applications", "show", "signer")
    assert not ClientCredential.objects.exists()
    run("applications", "set", "signer", "--public-keys", str(files[1]))
    assert [key["kid"] for key in Application.objects.get().public_keys] == ["b"]
    assert "is changed: public keys" in run("applications", "set", "signer", "--remove-public-keys")


def test_file_that_is_no_public_key_set_is_named_with_the_reason(tmp_path: Path, orders: str) -> None:
    private, binary = tmp_path / "private", tmp_path / "binary"
    private.write_text(json.dumps({"keys": [make_jwk(private=True)]}))
    binary.write_bytes(b"\xff\xfe")
    for file, reason in ((private, "Key 1 is a private key"), (binary, "UTF-8"), (tmp_path / "no", "No such file")):
        sentence = refused("applications", "set", "orders", "--public-keys", str(file))
        assert sentence.startswith(repr(str(file)))
        assert reason in sentence


def test_secrets_are_added_up_to_two_and_removed(orders: str) -> None:
    assert re.fullmatch(rf"The secret of 'orders', shown only once:\n{SECRET}\n", run(*SECRET_OF, "add", "orders"))
    assert "latchkey applications secret remove orders --older" in refused(*SECRET_OF, "add", "orders")
    assert run(*SECRET_OF, "remove", "orders", "--older") == "1 secret of 'orders' removed.\n"
    assert refused(*SECRET_OF, "remove", "orders", "--older") == "'orders' has no older secret."
    assert "Its access tokens are refused" in run(*SECRET_OF, "remove", "orders")
    assert refused(*SECRET_OF, "remove", "orders") == "'orders' has no secret."


SECRET_OF = ("applications", "secret")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("applications add orders", "There is an application 'orders' already."),
        ("applications add 123", "one of digits alone could be taken for the id of a user."),
        ("applications add a/b", "'a/b' is not a valid client id"),
        (
            "applications add new --scope nope",
            "There is no scope 'nope'. Scopes: orders:read, users:read,",
        ),
        ("applications add new --resource nope", "'nope' is not a valid resource"),
        ("applications set orders", "Nothing is to be changed"),
        ("applications set orders --remove-scope users:read", "The application does not have the scope 'users:read'."),
        ("applications set orders --remove-resource x", "The application does not have the resource 'x'."),
        *((f"applications {verb} nobody", "There is no application 'nobody'.") for verb in ("show", "deactivate")),
        *((f"applications {verb} nobody", "There is no application 'nobody'.") for verb in ("reactivate", "remove")),
        ("applications revoke-tokens nobody", "There is no application 'nobody'."),
        ("applications secret add nobody", "There is no application 'nobody'."),
        ("applications secret remove nobody", "There is no application 'nobody'."),
        ("applications set nobody --name x", "There is no application 'nobody'."),
        ("scopes add A --description x", "'A' is not a valid name for a scope."),
        ("scopes add orders:read --description x", "There is a scope 'orders:read' already."),
        ("scopes set nope --description x", "There is no scope 'nope'."),
        ("scopes remove nope", "There is no scope 'nope'."),
        ("scopes remove users:read", "cannot be deleted."),
        ("scopes remove users:read --force --yes", "cannot be deleted."),
        ("scopes remove orders:read", "is in use: application orders. --force takes it away and deletes it."),
    ],
)
def test_mistake_is_one_sentence_and_changes_nothing(orders: str, arguments: str, sentence: str) -> None:
    before = run("applications", "list") + run("scopes", "list")
    assert sentence in refused(*arguments.split())
    assert run("applications", "list") + run("scopes", "list") == before


def test_deactivate_reactivate_and_revoke_tokens_say_what_they_did(orders: str) -> None:
    said = [
        run("applications", verb, "orders")
        for verb in ("deactivate", "deactivate", "reactivate", "reactivate", "revoke-tokens")
    ]
    assert said == [
        "The application 'orders' is deactivated: its secrets, keys and access tokens are refused from now on.\n",
        "The application 'orders' was inactive already.\n",
        "The application 'orders' is reactivated.\n",
        "The application 'orders' was active already.\n",
        "The access tokens that 'orders' has are refused from now on. It may get new ones.\n",
    ]


def test_applications_remove_asks_first(orders: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "no"

    monkeypatch.setattr("builtins.input", answer)
    assert refused("applications", "remove", "orders") == "No application was deleted; answer 'yes', or give --yes."
    assert asked == ["This deletes the application 'orders' and its secrets. Type 'yes' to go on: "]
    assert run("applications", "remove", "orders", "--yes") == "The application 'orders' is deleted.\n"
    assert not Application.objects.exists()


def test_scopes_list_set_and_remove_by_force(orders: str) -> None:
    create_role("editor", "", ["orders:read"], COMMAND_LINE)
    assert run("scopes", "set", "orders:read", "--description", "Read orders.") == (
        "The scope 'orders:read' is changed.\n"
    )
    assert run("scopes", "list").splitlines() == [
        "orders:read  Read orders.",
        "users:read   Read all users, their sessions and their events. (built in)",
        "users:write  Create, change and delete users. (built in)",
    ]
    assert run("scopes", "remove", "orders:read", "--force", "--yes") == (
        "The scope 'orders:read' is deleted. It was taken from application orders, role editor.\n"
    )


def test_services_command_creates_an_application_and_leaves_it_without_secrets(http: httpx.Client) -> None:
    run_services_command("add", "payments")
    assert run("applications", "list") == "payments  service, active; no scopes\n"
    run_services_command("remove", "payments")
    assert "secrets:     none" in run("applications", "show", "payments")
    run_services_command("add", "123")
    assert Application.objects.filter(client_id="123").exists()  # it may introspect; the token endpoint refuses it
