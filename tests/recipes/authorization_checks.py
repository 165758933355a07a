"""Assertions for recipes with a part for a role and a part for a scope, with bearer tokens of every kind."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.people import Person
from tests.server import Server
from tests.support.simultaneous import decode_claims

AUDIENCE = "https://reports.example.com/"
"""The resource that the service of the recipe is."""

PATHS = ("/hello", "/editors", "/reports")
"""For signed-in people, for people with the role editor, and for whoever has the scope reports:read."""

FORGED = {
    "X-User-Id": "7",
    "X-Session-Id": "7",
    "X-User-Email-Verified": "true",
    "X-User-Roles": "editor",
    "X-Client-Id": "mallory",
    "X-Scope": "reports:read",
}
_REPOSITORY = Path(__file__).parents[2]
_MAKE = f"""
import json, sys
sys.path.append({str(_REPOSITORY)!r})
from tests.people import Person
from tests.support.bearers import add_application, add_role, application_key, application_token, person_key
alice = Person(None, "", id={{alice}})
add_role(alice, "editor", "reports:read")
reports = add_application("reports", "reports:read", "reports:write")
print(json.dumps({{{{
    "application": application_token("reports", "reports:read", audience=[{AUDIENCE!r}]),
    "application of several services": application_token("reports", "reports:read", audience=["x", {AUDIENCE!r}]),
    "application without the scope": application_token("reports", "reports:write", audience=[{AUDIENCE!r}]),
    "application for another service": application_token("reports", "reports:read"),
    "key of a person": person_key(alice, "reports:read"),
    "key of a person without the scope": person_key(alice),
    "key of an application": application_key(reports, "reports:read"),
}}}}))
"""


@dataclass(frozen=True)
class Tokens:
    """Two people, of whom alice has the role, and tokens by their kind."""

    alice: Person
    bob: Person
    others: dict[str, str]


def make_tokens(http: httpx.Client, server: Server) -> Tokens:
    """Return tokens of every kind, of accounts of their own; they live for 30 s."""
    alice, bob = (Person(http, f"{name}.roles@example.com").register() for name in ("alice", "bob"))
    others = json.loads(server.shell(_MAKE.format(alice=alice.id)).splitlines()[-1])
    return Tokens(alice.login(), bob.login(), others)


def get(url: str, path: str, token: str) -> httpx.Response:
    """Send a request with a token and with forged identity headers, in all spellings."""
    headers = FORGED | {name.replace("-", "_"): value for name, value in FORGED.items()}
    return httpx.get(f"{url}{path}", headers=headers | {"Authorization": f"Bearer {token}"}, timeout=10)


def assert_authorization_checks(url: str, server: Server, offline: bool = False) -> None:
    """Assert what each path answers to each kind of token; offline without scopes of roles, and without API keys."""
    with httpx.Client(base_url=server.url) as http:
        tokens = make_tokens(http, server)
        refused, key = (401, 403), 401 if offline else 200
        expected: dict[str, tuple[Any, Any, Any]] = {
            "application": (refused, refused, 200),
            "application of several services": (refused, refused, 200),
            "application without the scope": (refused, refused, 403),
            "application for another service": (refused, refused, 401),
            "key of a person": (refused, refused, key),
            "key of a person without the scope": (refused, refused, 401 if offline else 403),
            "key of an application": (refused, refused, key),
            "alice": (200, 200, 403 if offline else 200),
            "bob": (200, 403, 403),
        }
        people = {"alice": tokens.alice, "bob": tokens.bob}
        for kind, statuses in expected.items():
            for path, status in zip(PATHS, statuses, strict=True):
                token = people[kind].refresh().access_token if kind in people else tokens.others[kind]
                answer = get(url, path, token)
                allowed = status if isinstance(status, tuple) else (status,)
                assert answer.status_code in allowed, (kind, path, answer.status_code, answer.text)
                if answer.status_code == 200:
                    _assert_told(answer.json(), path, kind, token, tokens)
        if not offline:
            server.shell("from latchkey.authorization.models import Role; Role.objects.get().scopes.clear()")
            assert get(url, "/reports", tokens.alice.refresh().access_token).status_code == 403
            assert get(url, "/reports", tokens.others["key of a person"]).status_code == 403
            assert get(url, "/editors", tokens.alice.refresh().access_token).status_code == 200


def _assert_told(body: dict[str, Any], path: str, kind: str, token: str, tokens: Tokens) -> None:
    """Assert that the service knows the owner, whatever the client's own headers said."""
    of_application = "of an application" in kind or kind.startswith("application")
    user = "" if of_application else str((tokens.bob if kind == "bob" else tokens.alice).id)
    known: dict[str, Any] = {"user": user, "client": "reports" if of_application else "", "authorization": None}
    known |= {"session": "" if of_application or "key" in kind else decode_claims(token)["sid"]}
    known |= {"roles": "editor" if kind == "alice" else "", "email_verified": False}
    known |= {"scope": "reports:read" if path == "/reports" else ""}
    known |= {"email": f"{kind}.roles@example.com"}
    assert body.keys() & {"user", "client"}
    assert body == {name: known[name] for name in body}, (kind, path)
