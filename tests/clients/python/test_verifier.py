"""Verifier: local validation of access tokens, against a real Latchkey that signs with a key pair."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from latchkey_client import (
    Claims,
    InsufficientScope,
    InvalidToken,
    LatchkeyUnavailable,
    MissingRole,
    SessionRequired,
    StepUpRequired,
    Verifier,
)

from latchkey.core import clock as service_clock
from tests.clients.python.clocks import MovedClock
from tests.clients.python.conftest import AUDIENCE, public_keys
from tests.clients.python.proxy import Proxy
from tests.factors.apps import code_at
from tests.people import Person
from tests.recipes.jwks_checks import long_lived_token, tampered_tokens
from tests.server import Server
from tests.support.simultaneous import decode_claims

pytestmark = pytest.mark.clients
JWKS = "/.well-known/jwks.json"
People = dict[str, Person]


@pytest.fixture
def verifier(latchkey: Server, proxy: Proxy, clock: MovedClock) -> Verifier:
    """A verifier of the service `AUDIENCE`, which fetches the keys through the proxy."""
    return Verifier(latchkey.url, AUDIENCE, url=proxy.url, clock=clock)


def unknown_key_token(token: str, number: int) -> str:
    """Return the token as somebody else would sign it, with a made-up key id."""
    claims = jwt.decode(token, options={"verify_signature": False})
    headers = {"typ": "at+jwt", "kid": f"made-up-{number}"}
    return jwt.encode(claims, ed25519.Ed25519PrivateKey.generate(), "EdDSA", headers)


def test_verifier_returns_the_claims_of_a_session_in_threads_and_in_event_loops(
    verifier: Verifier, people: People, others: dict[str, str]
) -> None:
    alice = people["alice"].login()
    expected = decode_claims(alice.access_token)
    for claims in (verifier.verify(alice.access_token), asyncio.run(verifier.averify(alice.access_token))):
        assert (claims.user_id, claims.subject, claims.client_id) == (alice.id, str(alice.id), None)
        assert (claims.session_id, claims.expires_at) == (expected["sid"], expected["exp"])
        assert (set(claims.roles), set(claims.scopes), dict(claims.claims)) == ({"editor"}, set(), {"plan": "pro"})
        assert (claims.acr, claims.amr, claims.auth_time, claims.is_session) == ("aal1", (), None, True)


def test_verifier_returns_the_claims_of_an_application_if_a_scope_is_asked_for(
    verifier: Verifier, others: dict[str, str]
) -> None:
    claims = verifier.verify(others["application"], scope="reports:read")
    assert (claims.client_id, claims.subject, claims.user_id, claims.session_id) == ("reports", "reports", None, None)
    assert (set(claims.scopes), set(claims.roles), claims.acr, claims.is_session) == (
        {"reports:read"},
        set(),
        "",
        False,
    )
    assert verifier.verify(others["application"], session=False) == claims


def test_verifier_refuses_forged_tokens_and_other_kinds_of_token(
    latchkey: Server, verifier: Verifier, people: People, others: dict[str, str]
) -> None:
    alice = people["alice"].login()
    header, payload, signature = alice.access_token.split(".")
    refused = tampered_tokens(alice.access_token, public_keys(latchkey)) | {
        "a refresh token": alice.refresh_token,
        "an API key": others["key of a person"],
        "another service": others["application for another service"],
        "too long a lifetime": long_lived_token(latchkey),
        "no text": "",
        "a part": f"{header}.{payload}",
        "a made-up key": unknown_key_token(alice.access_token, 1),
        "a long text": "a" * 10_000,
    }
    for kind, token in refused.items():
        with pytest.raises(InvalidToken):
            pytest.fail(f"{kind}: {verifier.verify(token, session=False)}")
    assert signature
    with pytest.raises(InvalidToken):
        Verifier("https://other.example.com", url=latchkey.url).verify(alice.access_token)


def test_verifier_refuses_a_token_from_its_expiry_on_and_with_leeway_later(
    latchkey: Server, verifier: Verifier, clock: MovedClock, people: People
) -> None:
    token = people["bob"].login().access_token
    lenient = Verifier(latchkey.url, leeway=10, clock=clock)
    clock.wall = decode_claims(token)["exp"] - time.time() - 5
    assert verifier.verify(token)
    clock.wall += 5
    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token)
    assert lenient.verify(token)
    clock.wall += 10
    with pytest.raises(InvalidToken):
        lenient.verify(token)


def test_verifier_accepts_a_token_of_a_machine_whose_clock_is_half_a_minute_ahead_and_no_more(
    verifier: Verifier, clock: MovedClock, people: People
) -> None:
    token = people["bob"].login().access_token
    clock.wall = -25
    assert verifier.verify(token)
    clock.wall = -35
    with pytest.raises(InvalidToken, match="future"):
        verifier.verify(token)


def test_roles_are_of_people_and_scopes_of_applications(
    verifier: Verifier, people: People, others: dict[str, str]
) -> None:
    alice, bob = (people[name].login().access_token for name in ("alice", "bob"))
    assert verifier.verify(alice, role="editor").user_id == people["alice"].id
    with pytest.raises(MissingRole) as missing:
        verifier.verify(bob, role="editor")
    assert missing.value.status == 403
    assert missing.value.www_authenticate == (
        'Bearer error="insufficient_scope", error_description="The role editor is required"'
    )
    with pytest.raises(InsufficientScope) as lacking:
        verifier.verify(others["application without the scope"], scope="reports:read reports:write")
    assert lacking.value.status == 403
    assert lacking.value.www_authenticate.endswith('scope="reports:read reports:write"')
    assert verifier.verify(others["application without the scope"], scope="reports:write")
    for needed in ({}, {"role": "editor"}, {"acr": "aal1"}, {"max_age": 300}):
        with pytest.raises(SessionRequired):
            verifier.verify(others["application"], **needed)
    with pytest.raises(SessionRequired):
        verifier.verify(others["application"], scope="reports:read", session=True)


def test_step_up_is_required_until_a_second_factor_was_used_recently(
    verifier: Verifier, clock: MovedClock, visitor: httpx.Client
) -> None:
    carol = Person(visitor, "carol@example.com").register().login()
    assert verifier.verify(carol.access_token, acr="aal1")
    with pytest.raises(StepUpRequired) as refused:
        verifier.verify(carol.access_token, acr="aal2", max_age=300)
    assert refused.value.status == 401
    assert refused.value.www_authenticate == (
        'Bearer error="insufficient_user_authentication", '
        'error_description="A different authentication level is required", acr_values="aal2", max_age="300"'
    )
    secret = visitor.post("/api/me/totp/", headers=carol.bearer()).json()["secret"]
    code = code_at(secret, service_clock.now())
    assert visitor.post("/api/me/totp/confirm/", json={"code": code}, headers=carol.bearer()).status_code == 200
    token = carol.refresh().access_token
    claims = verifier.verify(token, acr="aal2", max_age=300)
    assert (claims.acr, claims.amr) == ("aal2", ("mfa", "otp", "pwd"))
    assert verifier.verify(token, acr="aal1")
    with pytest.raises(StepUpRequired):
        verifier.verify(token, acr="phr")
    assert claims.auth_time is not None
    clock.wall = claims.auth_time - time.time() + 10
    assert verifier.verify(token, max_age=10)
    clock.wall += 1
    with pytest.raises(StepUpRequired):
        verifier.verify(token, max_age=10)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["threads", "tasks"])
def test_flood_of_unknown_key_ids_costs_one_fetch_a_minute(
    verifier: Verifier, proxy: Proxy, clock: MovedClock, people: People, asynchronous: bool
) -> None:
    token = people["bob"].login().access_token
    forged = [unknown_key_token(token, number) for number in range(200)]
    flood: Callable[[Verifier, list[str]], int] = flood_tasks if asynchronous else flood_threads
    assert verifier.verify(token)
    for minute in range(3):
        assert flood(verifier, forged) == len(forged)
        assert proxy.counts[JWKS] == minute + 1
        clock.elapsed += 59
        assert flood(verifier, forged) == len(forged)
        assert proxy.counts[JWKS] == minute + 1
        assert verifier.verify(token)
        clock.elapsed += 1.5  # the fetch began some time ago
    assert flood(verifier, forged) == len(forged)
    assert proxy.counts == {JWKS: 4}


def is_refused(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except InvalidToken:
        return True
    return False


def flood_threads(verifier: Verifier, tokens: list[str]) -> int:
    """Return how many of the tokens are refused, in 16 threads."""
    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(lambda token: is_refused(verifier, token), tokens))


def flood_tasks(verifier: Verifier, tokens: list[str]) -> int:
    """Return how many of the tokens are refused, in as many tasks."""

    async def run() -> int:
        outcomes = await asyncio.gather(*(verifier.averify(token) for token in tokens), return_exceptions=True)
        return sum(isinstance(outcome, InvalidToken) for outcome in outcomes)

    return asyncio.run(run())


def test_verifiers_of_a_process_share_one_fetch_of_the_keys(
    latchkey: Server, proxy: Proxy, clock: MovedClock, people: People
) -> None:
    token = people["bob"].login().access_token
    verifiers = [Verifier(latchkey.url, url=proxy.url, clock=clock) for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda each: each.verify(token).user_id, verifiers))
    assert found == [people["bob"].id] * 16
    assert proxy.counts == {JWKS: 1}


def test_known_keys_are_used_while_a_fetch_is_under_way_or_fails(
    verifier: Verifier, proxy: Proxy, clock: MovedClock, people: People
) -> None:
    bob = people["bob"].login()
    assert verifier.verify(bob.access_token)
    proxy.gate.clear()
    proxy.arrived.clear()
    clock.elapsed += 241
    began = time.monotonic()
    assert verifier.verify(bob.access_token)
    assert asyncio.run(verifier.averify(bob.access_token))
    assert proxy.arrived.wait(5)
    assert time.monotonic() - began < 1
    proxy.is_down = True
    proxy.gate.set()
    for _ in range(5):
        clock.elapsed += 61
        assert verifier.verify(bob.refresh().access_token)
        with pytest.raises(LatchkeyUnavailable) as unavailable:
            verifier.verify(unknown_key_token(bob.access_token, 1))
        assert (unavailable.value.status, unavailable.value.headers) == (503, {"Retry-After": "1"})
    proxy.is_down = False
    clock.elapsed += 61
    with pytest.raises(InvalidToken):
        verifier.verify(unknown_key_token(bob.access_token, 1))


def test_event_loop_goes_on_while_the_first_keys_are_fetched(verifier: Verifier, proxy: Proxy, people: People) -> None:
    token = people["bob"].login().access_token
    proxy.gate.clear()

    async def run() -> Claims:
        waiting = asyncio.create_task(verifier.averify(token))
        cancelled = asyncio.create_task(verifier.averify(token))
        await asyncio.to_thread(proxy.arrived.wait, 5)
        cancelled.cancel()
        proxy.gate.set()
        return await waiting

    assert asyncio.run(run()).user_id == people["bob"].id
    assert proxy.counts == {JWKS: 1}


def test_service_without_public_keys_is_unavailable_and_no_sign_out(
    proxy: Proxy, clock: MovedClock, people: People
) -> None:
    token = people["bob"].login().access_token
    proxy.is_down = True
    verifier = Verifier("https://auth.example.com", url=proxy.url, clock=clock)
    for _ in range(3):
        with pytest.raises(LatchkeyUnavailable):
            verifier.verify(token)
    assert proxy.counts == {JWKS: 1}
    clock.elapsed += 1
    with pytest.raises(LatchkeyUnavailable):
        asyncio.run(verifier.averify(token))
    assert proxy.counts == {JWKS: 2}
