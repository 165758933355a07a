"""Requests of the tests that add passkeys and sign in with them, over HTTP."""

from typing import Any

import httpx

from tests.people import Person
from tests.support.software_authenticator import SoftwareAuthenticator


def try_options(person: Person) -> httpx.Response:
    return person.http.post("/api/me/passkeys/options/", headers=person.bearer())


def try_add(person: Person, authenticator: SoftwareAuthenticator, name: str = "Phone", **lies: Any) -> httpx.Response:
    """Make a passkey and send it, with the ticket of new options."""
    answer = try_options(person)
    assert answer.status_code == 200, answer.text
    body = {
        "ticket": answer.json()["ticket"],
        "name": name,
        "passkey": authenticator.create(answer.json()["options"], **lies),
    }
    return person.http.post("/api/me/passkeys/", json=body, headers=person.bearer())


def add(person: Person, authenticator: SoftwareAuthenticator, name: str = "Phone") -> dict[str, Any]:
    """Add a passkey and return the answer."""
    answer = try_add(person, authenticator, name)
    assert answer.status_code == 201, answer.text
    added: dict[str, Any] = answer.json()
    return added


def begin(http: httpx.Client) -> dict[str, Any]:
    """Return ticket and options of a sign-in."""
    answer = http.post("/api/login/passkey/options/")
    assert answer.status_code == 200, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


def try_sign_in(http: httpx.Client, authenticator: SoftwareAuthenticator, **lies: Any) -> httpx.Response:
    """Sign in with a passkey, without an e-mail address."""
    begun = begin(http)
    body = {"ticket": begun["ticket"], "passkey": authenticator.get(begun["options"], **lies)}
    return http.post("/api/login/passkey/", json=body)


def list_passkeys(person: Person) -> list[dict[str, Any]]:
    answer = person.http.get("/api/me/passkeys/", headers=person.bearer())
    assert answer.status_code == 200, answer.text
    passkeys: list[dict[str, Any]] = answer.json()
    return passkeys
