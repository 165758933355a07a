"""A Python client generated out of docs/openapi.yaml, and the users of a real server through it.

A generator reads the document as its users' tools do: types, parameters and responses that it cannot express, or that
the server does not keep to, fail here.
"""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.people import PASSWORD
from tests.server import Server

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
GENERATOR = Path(sys.executable).with_name("openapi-python-client")
PACKAGE = "generated_latchkey_client"
SCOPES = ("users:read", "users:write")
KEY = "a key of a request that creates"


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the generated package; the generator must leave no operation out."""
    folder = tmp_path_factory.mktemp("generated")
    configuration = folder / "configuration.yaml"
    configuration.write_text("post_hooks: []\n")  # of formatters, which would have to be on the PATH
    options = ["--path", str(DOCUMENT), "--config", str(configuration), "--meta", "none", "--fail-on-warning"]
    command = [str(GENERATOR), "generate", *options, "--output-path", str(folder / PACKAGE)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Users:
    """The generated functions for users, bound to a server and an access token."""

    def __init__(self, url: str, token: str) -> None:
        self.client = import_module(PACKAGE).AuthenticatedClient(base_url=url, token=token, timeout=20)
        self.models = import_module(f"{PACKAGE}.models")

    def call(self, operation: str, *args: Any, **arguments: Any) -> Any:
        """Return the whole response of an operation: status_code, headers, and parsed, an object of its model."""
        module = import_module(f"{PACKAGE}.api.users_for_back_ends.{operation}")
        return module.sync_detailed(*args, client=self.client, **arguments)

    def list_all(self, **filters: Any) -> list[Any]:
        """Return all users of a list, from pages of two."""
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.call("list_users", limit=2, **filters, **cursor)
            assert page.status_code == 200, page.content
            found += page.parsed.users
            if page.parsed.next_ is None:
                return found
            cursor = {"cursor": page.parsed.next_}


@pytest.fixture
def users(generated: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Users]:
    """The generated client with the access token of an application, got by its client credentials."""
    monkeypatch.syspath_prepend(generated)
    added = server.command("applications", "add", "crm", *(part for scope in SCOPES for part in ("--scope", scope)))
    assert added.returncode == 0, added.stderr
    credential = ("crm", added.stdout.split()[-1])
    granted = httpx.post(
        f"{server.url}/oauth/token/",
        auth=credential,
        data={"grant_type": "client_credentials", "scope": " ".join(SCOPES)},
    )
    assert granted.status_code == 200, granted.text
    users = Users(server.url, granted.json()["access_token"])
    with users.client:
        yield users


def test_generated_client_creates_lists_changes_and_deletes_users(users: Users, server: Server) -> None:
    began = datetime.now(UTC)
    new, changes = users.models.CreateUserInput, users.models.PatchedChangeUserInput
    created = users.call("create_user", body=new(email="Erin@Example.com", password=PASSWORD), idempotency_key=KEY)
    assert created.status_code == 201, created.content
    erin = created.parsed
    assert (erin.email, erin.active, erin.email_verified, erin.roles) == ("erin@example.com", True, False, [])
    assert began <= erin.created_at <= datetime.now(UTC)

    retried = users.call("create_user", body=new(email="Erin@Example.com", password=PASSWORD), idempotency_key=KEY)
    assert (retried.status_code, retried.headers["Idempotent-Replayed"]) == (201, "true")
    assert retried.parsed == erin
    taken = users.call("create_user", body=new(email="erin@example.com", password=PASSWORD))
    assert (taken.status_code, taken.parsed.code) == (400, "email_taken")

    for name in ("frank", "grace", "heidi"):
        body = new(email=f"{name}@example.com", password=PASSWORD, email_verified=True)
        assert users.call("create_user", body=body).status_code == 201
    names = [user.email.partition("@")[0] for user in users.list_all(created_after=began)]
    assert names == ["heidi", "grace", "frank", "erin"]
    unverified = users.models.ListUsersState.UNVERIFIED
    assert users.list_all(state=unverified, created_after=began) == [erin]

    claims = users.models.PatchedChangeUserInputClaims.from_dict({"plan": "pro", "seats": 3})
    changed = users.call("update_user", str(erin.id), body=changes(username="Erin", active=False, claims=claims))
    assert changed.status_code == 200, changed.content
    assert (changed.parsed.username, changed.parsed.active) == ("Erin", False)
    assert changed.parsed.claims.to_dict() == {"plan": "pro", "seats": 3}
    assert users.call("read_user", str(erin.id)).parsed == changed.parsed
    assert users.list_all(state=users.models.ListUsersState.INACTIVE) == [changed.parsed]

    assert users.call("delete_user", str(erin.id)).status_code == 204
    gone = users.call("read_user", str(erin.id))
    assert (gone.status_code, gone.parsed.code) == (404, "not_found")
    assert server.shell(f"print(User.objects.filter(pk={erin.id}).count())") == "0"
