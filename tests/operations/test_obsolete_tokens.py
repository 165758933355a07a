"""Session rows in an older format, other authorization schemes, and selector collisions."""

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
def test_refresh_refuses_a_session_row_with_digests_in_another_format(
    alice: Person, bob: Person, stored: Callable[[UUID], bytes]
) -> None:
    kept = stored(UUID(alice.refresh_token))
    assert Session.objects.filter(user=alice.id).update(digest=kept, next_digest=kept) == 1
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert bob.refresh().me().status_code == 200


@pytest.mark.ledger("REG-SUPABASEAUTH-04")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_me_accepts_the_bearer_scheme_in_any_case_and_no_other_scheme(alice: Person, scheme: str) -> None:
    def me(word: str) -> httpx.Response:
        return alice.http.get("/api/me/", headers={"Authorization": f"{word} {alice.access_token}"})

    assert me(scheme).status_code == 200
    assert_problem(me(f"{scheme}x"), 401, "not_authenticated")
    assert_problem(me("Token"), 401, "not_authenticated")


@pytest.fixture
def repeating_random(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Six-byte values that the random source returns first, before it is random again."""
    waiting: list[bytes] = []
    really = os.urandom
    monkeypatch.setattr("random._urandom", lambda n: waiting.pop() if n == 6 and waiting else really(n))
    return waiting


@pytest.mark.ledger("REG-DRF-06")
def test_login_draws_a_new_selector_on_a_collision_and_overwrites_no_session(
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
