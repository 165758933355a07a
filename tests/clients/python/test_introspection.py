"""Introspection: tokens and API keys validated by a request to a real Latchkey, with a short cache."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from jwt.algorithms import OKPAlgorithm
from latchkey_client import (
    Claims,
    InsufficientScope,
    Introspection,
    InvalidToken,
    LatchkeyUnavailable,
    OAuthError,
    SessionRequired,
)

from tests.clients.python.clocks import MovedClock
from tests.clients.python.conftest import AUDIENCE, add_client
from tests.clients.python.proxy import Proxy
from tests.people import Person
from tests.server import Server
from tests.support.simultaneous import decode_claims

pytestmark = pytest.mark.clients
PATH = "/oauth/introspect/"
People = dict[str, Person]


@pytest.fixture(scope="module")
def secret(latchkey: Server) -> str:
    return add_client(latchkey, "payments")


@pytest.fixture
def introspection(proxy: Proxy, clock: MovedClock, secret: str) -> Iterator[Introspection]:
    """An introspection of the service `AUDIENCE`, through the proxy, with a cache of a second."""
    with Introspection(proxy.url, "payments", secret, audience=AUDIENCE, clock=clock) as opened:
        yield opened


def verify_in_event_loop(introspection: Introspection, token: str) -> Claims:
    """Verify a token in an event loop of its own."""

    async def run() -> Claims:
        async with introspection:
            return await introspection.averify(token)

    return asyncio.run(run())


def test_introspection_returns_the_claims_of_every_kind_of_token(
    introspection: Introspection, people: People, others: dict[str, str]
) -> None:
    alice = people["alice"].login()
    session = introspection.verify(alice.access_token, role="editor")
    assert (session.user_id, session.session_id) == (alice.id, decode_claims(alice.access_token)["sid"])
    assert (set(session.roles), set(session.scopes), dict(session.claims)) == (
        {"editor"},
        {"reports:read"},
        {"plan": "pro"},
    )
    assert (session.email, session.email_verified, session.acr) == (alice.email, False, "aal1")
    application = introspection.verify(others["application"], scope="reports:read")
    assert (application.client_id, application.user_id, application.key_id) == ("reports", None, None)
    key = introspection.verify(others["key of a person"], scope="reports:read")
    assert (key.user_id, key.session_id, key.roles, key.expires_at) == (alice.id, None, frozenset(), None)
    assert key.key_id
    key = introspection.verify(others["key of an application"], scope="reports:read")
    assert (key.client_id, key.user_id, key.is_session) == ("reports", None, False)


def test_introspection_refuses_refresh_tokens_other_audiences_and_what_lacks_a_scope(
    introspection: Introspection, people: People, others: dict[str, str]
) -> None:
    bob = people["bob"].login()
    for token in (bob.refresh_token, others["application for another service"], f"{bob.access_token}A", "x", "x\ny"):
        with pytest.raises(InvalidToken):
            introspection.verify(token, session=False)
    assert introspection.introspect(bob.refresh_token)["active"] is True
    for token in (others["application without the scope"], bob.access_token):
        with pytest.raises(InsufficientScope):
            introspection.verify(token, scope="reports:read")
    for name in ("application", "key of a person", "key of an application"):
        with pytest.raises(SessionRequired):
            introspection.verify(others[name])


def test_cached_response_is_used_for_a_second_by_threads_and_event_loops(
    introspection: Introspection, proxy: Proxy, clock: MovedClock, people: People
) -> None:
    bob = people["bob"].login()
    assert introspection.verify(bob.access_token)
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(introspection.verify, [bob.access_token] * 100))) == 100
    assert verify_in_event_loop(introspection, bob.access_token)
    bob.logout()
    assert introspection.verify(bob.access_token)
    assert proxy.counts == {PATH: 1}
    clock.advance(1)
    with pytest.raises(InvalidToken):
        introspection.verify(bob.access_token)
    with pytest.raises(InvalidToken):
        introspection.verify(bob.access_token)
    assert proxy.counts == {PATH: 2}


def test_sign_out_counts_at_the_next_request_without_a_cache(
    proxy: Proxy, clock: MovedClock, secret: str, people: People
) -> None:
    introspection = Introspection(proxy.url, "payments", secret, cache_seconds=0, clock=clock)
    bob = people["bob"].login()

    async def run() -> None:
        assert await introspection.averify(bob.access_token)
        bob.logout()
        with pytest.raises(InvalidToken):
            await introspection.averify(bob.access_token)
        await introspection.aclose()

    asyncio.run(run())
    assert proxy.counts == {PATH: 2}


def test_cached_response_ends_with_its_token(proxy: Proxy, clock: MovedClock, secret: str, people: People) -> None:
    bob = people["bob"].login()
    with Introspection(proxy.url, "payments", secret, cache_seconds=3600, clock=clock) as introspection:
        assert introspection.verify(bob.access_token)
        clock.advance(20)
        assert introspection.verify(bob.access_token)
        assert proxy.counts == {PATH: 1}
        bob.logout()
        clock.advance(11)
        with pytest.raises(InvalidToken):
            introspection.verify(bob.access_token)
    assert proxy.counts == {PATH: 2}


def test_cache_drops_the_least_recently_used_response(
    proxy: Proxy, clock: MovedClock, secret: str, people: People
) -> None:
    first, second, third = (people["bob"].login().access_token for _ in range(3))
    with Introspection(proxy.url, "payments", secret, cache_seconds=60, cache_size=2, clock=clock) as introspection:
        for token in (first, second, first, third, first):
            introspection.verify(token)
        assert proxy.counts == {PATH: 3}
        introspection.verify(second)
        assert proxy.counts == {PATH: 4}


def test_outage_is_unavailable_and_a_wrong_secret_an_error_of_the_configuration(
    introspection: Introspection, proxy: Proxy, people: People
) -> None:
    token = people["bob"].login().access_token
    with Introspection(proxy.url, "payments", "wrong") as wrong, pytest.raises(OAuthError) as refused:
        wrong.verify(token)
    assert refused.value.error == "invalid_client"
    proxy.is_down = True
    with pytest.raises(LatchkeyUnavailable):
        introspection.verify(token)
    with pytest.raises(LatchkeyUnavailable):
        verify_in_event_loop(introspection, token)
    with Introspection("http://127.0.0.1:9", "payments", "wrong") as nowhere, pytest.raises(LatchkeyUnavailable):
        nowhere.verify(token)


def test_private_key_authenticates_an_introspection(
    latchkey: Server, proxy: Proxy, people: People, tmp_path: Path
) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    jwk = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True) | {"kid": "one"}
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [jwk]}))
    add_client(latchkey, "keyed", "--public-keys", str(tmp_path / "keys.json"))
    token = people["bob"].login().access_token
    with Introspection(proxy.url, "keyed", private_key=private, key_id="one", issuer=latchkey.url) as introspection:
        assert introspection.verify(token).user_id == people["bob"].id
    other = ed25519.Ed25519PrivateKey.generate()
    with (
        Introspection(proxy.url, "keyed", private_key=other, key_id="one", issuer=latchkey.url) as introspection,
        pytest.raises(OAuthError, match="invalid_client"),
    ):
        introspection.verify(token)
