"""Tokens that an upgrade, or chance, must not bring to life, and rows that nothing may overwrite."""

import hashlib
import os
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from latchkey.sessions.models import Session
from tests.people import Person
from tests.problems import assert_problem

FORMATS: dict[str, Callable[[UUID], bytes]] = {
    "the token itself": lambda token: token.bytes,
    "the token as text, cut": lambda token: str(token).encode()[:32],
    "an unkeyed hash of the bytes": lambda token: hashlib.sha256(token.bytes).digest(),
    "an unkeyed hash of the text": lambda token: hashlib.sha256(str(token).encode()).digest(),
    "nothing": lambda token: b"",
    "zeros": lambda token: bytes(32),
}


@pytest.mark.ledger("REG-SUPABASEAUTH-04")
@pytest.mark.parametrize("stored", FORMATS.values(), ids=FORMATS)
def test_a_row_in_another_format_signs_nobody_in(alice: Person, bob: Person, stored: Callable[[UUID], bytes]) -> None:
    kept = stored(UUID(alice.refresh_token))
    assert Session.objects.filter(user=alice.id).update(digest=kept, next_digest=kept) == 1
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert bob.refresh().me().status_code == 200


@pytest.mark.ledger("REG-SUPABASEAUTH-04")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_bearer_in_any_case_and_no_other_word(alice: Person, scheme: str) -> None:
    def me(word: str) -> httpx.Response:
        return alice.http.get("/api/me/", headers={"Authorization": f"{word} {alice.access_token}"})

    assert me(scheme).status_code == 200
    assert_problem(me(f"{scheme}x"), 401, "not_authenticated")
    assert_problem(me("Token"), 401, "not_authenticated")


@pytest.fixture
def repeating_random(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Numbers of six bytes that the machine's own chance gives out before it goes on by itself."""
    waiting: list[bytes] = []
    really = os.urandom
    monkeypatch.setattr("random._urandom", lambda n: waiting.pop() if n == 6 and waiting else really(n))
    return waiting


@pytest.mark.ledger("REG-DRF-06")
def test_a_selector_that_is_drawn_twice_overwrites_no_session_and_another_is_drawn(
    alice: Person, bob: Person, repeating_random: list[bytes]
) -> None:
    before = Session.objects.filter(user=alice.id).values().get()
    repeating_random.append(UUID(alice.refresh_token).bytes[:6])
    answer = bob.http.post("/api/login/", json={"email": bob.email, "password": bob.password})
    assert not repeating_random, "nothing was drawn twice"
    assert Session.objects.filter(user=alice.id).values().get() == before
    assert alice.refresh().me().json()["id"] == alice.id
    assert answer.status_code == 200
    assert answer.json()["refresh_token"][:15] != alice.refresh_token[:15]
