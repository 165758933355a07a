"""Fixtures of the tests of the Python client: its source on the path, and a Latchkey that signs with a key pair."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from tests.people import Person
from tests.server import Server, create_database

REPOSITORY = Path(__file__).parents[3]
PACKAGE = REPOSITORY / "clients" / "python"
sys.path.insert(0, str(PACKAGE / "src"))

from tests.clients.python.clocks import MovedClock  # noqa: E402
from tests.clients.python.proxy import Proxy, run_proxy  # noqa: E402

AUDIENCE = "https://reports.example.com/"
"""The resource that the service of a test is registered as."""

_MAKE_TOKENS = f"""
import json, sys
sys.path.append({str(REPOSITORY)!r})
from datetime import timedelta
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.custom_claims import set_claims
from latchkey.core import clock
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import issue_for_client
from tests.people import Person
from tests.support.bearers import add_application, add_role, application_key, person_key
alice = Person(None, "", id={{user_id}})
add_role(alice, "editor", "reports:read")
set_claims(alice.id, {{{{"plan": "pro"}}}}, COMMAND_LINE)
reports, now = add_application("reports", "reports:read", "reports:write"), clock.now()
def token(scope, audience):
    return issue_for_client("reports", [scope], [audience], now, timedelta(minutes=10), signing_key(now))
print(json.dumps({{{{
    "application": token("reports:read", {AUDIENCE!r}),
    "application without the scope": token("reports:write", {AUDIENCE!r}),
    "application for another service": token("reports:read", "latchkey"),
    "key of a person": person_key(alice, "reports:read"),
    "key of an application": application_key(reports, "reports:read"),
}}}}))
"""


@pytest.fixture(scope="module")
def latchkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Latchkey for the tests of a module, which signs with EdDSA and has its own URL as issuer."""
    database_url = create_database(settings.DATABASE_URL) if settings.DATABASE_URL else ""
    running = Server(tmp_path_factory.mktemp("latchkey"), database_url, 1, 4, LATCHKEY_SIGNING_ALGORITHM="EdDSA")
    running.environment["LATCHKEY_PUBLIC_URL"] = running.url
    running.start(60)
    running.raise_address_limits()
    yield running
    running.kill()


@pytest.fixture
def proxy(latchkey: Server) -> Iterator[Proxy]:
    with run_proxy(latchkey.url) as running:
        yield running


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def visitor(latchkey: Server) -> Iterator[httpx.Client]:
    """A client of the Latchkey, for people."""
    with httpx.Client(base_url=latchkey.url) as http:
        yield http


@pytest.fixture(scope="module")
def people(latchkey: Server) -> Iterator[dict[str, Person]]:
    """Alice, who is an editor, and bob; both are registered."""
    with httpx.Client(base_url=latchkey.url) as http:
        yield {name: Person(http, f"{name}@example.com").register() for name in ("alice", "bob")}


@pytest.fixture(scope="module")
def others(latchkey: Server, people: dict[str, Person]) -> dict[str, str]:
    """Tokens of applications, which live for 10 minutes, and API keys. Alice is an editor, on the plan `pro`."""
    printed = latchkey.shell(_MAKE_TOKENS.format(user_id=people["alice"].id))
    tokens: dict[str, str] = json.loads(printed.splitlines()[-1])
    return tokens


def add_client(server: Server, client_id: str, *options: str) -> str:
    """Add an application on the command line; return its secret."""
    added = server.command("applications", "add", client_id, *options)
    assert added.returncode == 0, added.stderr
    return added.stdout.split()[-1]


def public_keys(server: Server) -> list[dict[str, Any]]:
    """Return the keys of the JWKS."""
    keys: list[dict[str, Any]] = httpx.get(f"{server.url}/.well-known/jwks.json").json()["keys"]
    return keys
