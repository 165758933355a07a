"""Assertions for recipes with a part that asks for a recent second factor (RFC 9470)."""

import httpx

from latchkey.core import clock
from tests.factors.apps import code_at
from tests.people import Person
from tests.server import Server


def assert_step_up_checks(url: str, server: Server, *paths: str) -> None:
    """Assert that the paths take a session with a second factor of the last 5 minutes, and refuse all others."""
    with httpx.Client(base_url=server.url) as http:
        carol = Person(http, "carol@example.com").register().login()
        assert httpx.get(f"{url}{paths[0]}").status_code == 401
        for path in paths:
            _assert_challenged(_get(url, path, carol))
        recovery_code = _set_up_app(carol)
        assert [_get(url, path, carol).status_code for path in paths[:1]] == [200]
        server.shell(f"""
from datetime import timedelta
for session in Session.objects.filter(user_id={carol.id}):
    session.authenticated_at -= timedelta(seconds=301)
    session.save(update_fields=["authenticated_at"])
""")
        for path in paths:
            _assert_challenged(_get(url, path, carol))
        answer = http.post("/api/step-up/", json={"recovery_code": recovery_code}, headers=carol.bearer())
        assert answer.status_code == 200, answer.text
        carol.access_token = answer.json()["access_token"]
        assert _get(url, paths[0], carol).status_code == 200


def _get(url: str, path: str, person: Person) -> httpx.Response:
    return httpx.get(f"{url}{path}", headers=person.refresh().bearer(), timeout=10)


def _assert_challenged(answer: httpx.Response) -> None:
    """Assert that this is the challenge of RFC 9470 section 3."""
    assert answer.status_code == 401, answer.text
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="insufficient_user_authentication"'), challenge
    assert challenge.endswith('acr_values="aal2", max_age="300"'), challenge


def _set_up_app(person: Person) -> str:
    """Set up an authenticator app; return a recovery code."""
    secret = person.http.post("/api/me/totp/", headers=person.bearer()).json()["secret"]
    code = code_at(secret, clock.now())
    confirmed = person.http.post("/api/me/totp/confirm/", json={"code": code}, headers=person.bearer())
    assert confirmed.status_code == 200, confirmed.text
    return str(confirmed.json()["recovery_codes"][0])
