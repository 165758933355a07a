"""Client credentials: one token request for all threads and tasks, refresh before expiry, and the httpx auth class."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm
from latchkey_client import ClientCredentials, LatchkeyAuth, LatchkeyUnavailable, OAuthError

from tests.clients.python.clocks import MovedClock
from tests.clients.python.conftest import AUDIENCE, add_client
from tests.clients.python.proxy import Proxy
from tests.server import Server
from tests.support.simultaneous import decode_claims

pytestmark = pytest.mark.clients
PATH, USERS = "/oauth/token/", "/api/users/"


@pytest.fixture(scope="module")
def secret(latchkey: Server) -> str:
    assert latchkey.command("scopes", "add", "reports:read", "--description", "Read reports.").returncode == 0
    return add_client(
        latchkey,
        *("jobs", "--scope", "users:read", "--scope", "reports:read"),
        *("--resource", AUDIENCE, "--resource", "https://other.example.com/"),
    )


@pytest.fixture
def credentials(latchkey: Server, proxy: Proxy, clock: MovedClock, secret: str) -> ClientCredentials:
    """Credentials for Latchkey's own API, with tokens for 300 s."""
    return ClientCredentials(proxy.url, "jobs", secret, scope="users:read", resource=latchkey.url, clock=clock)


@pytest.fixture
def api(proxy: Proxy, credentials: ClientCredentials) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, auth=LatchkeyAuth(credentials)) as client:
        yield client


def test_token_has_the_scopes_and_the_resources_that_were_asked_for(
    proxy: Proxy, credentials: ClientCredentials, secret: str
) -> None:
    claims = decode_claims(credentials.token())
    assert (claims["client_id"], claims["scope"], claims["aud"]) == ("jobs", "users:read", "latchkey")
    several = ClientCredentials(proxy.url, "jobs", secret, resource=[AUDIENCE, "https://other.example.com/"])
    claims = decode_claims(several.token())
    assert claims["aud"] == [AUDIENCE, "https://other.example.com/"]
    assert claims["scope"] == "reports:read users:read"


def test_16_threads_and_100_tasks_make_one_token_request(credentials: ClientCredentials, proxy: Proxy) -> None:
    proxy.gate.clear()

    async def ask() -> list[str]:
        asking = [asyncio.create_task(credentials.atoken()) for _ in range(100)]
        cancelled = asyncio.create_task(credentials.atoken())
        await asyncio.to_thread(proxy.arrived.wait, 5)
        cancelled.cancel()
        proxy.gate.set()
        return await asyncio.gather(*asking)

    with ThreadPoolExecutor(17) as pool:
        waiting = [pool.submit(credentials.token) for _ in range(16)]
        tokens = {*pool.submit(lambda: asyncio.run(ask())).result(), *(each.result() for each in waiting)}
    assert len(tokens) == 1
    assert proxy.counts == {PATH: 1}


def test_token_is_replaced_in_the_background_before_it_expires(
    credentials: ClientCredentials, proxy: Proxy, clock: MovedClock
) -> None:
    first = credentials.token()
    clock.elapsed += 238
    assert credentials.token() == first
    assert proxy.counts == {PATH: 1}
    proxy.arrived.clear()
    proxy.gate.clear()
    clock.elapsed += 3
    assert [credentials.token() for _ in range(20)] == [first] * 20
    assert proxy.arrived.wait(5)
    assert asyncio.run(credentials.atoken()) == first
    proxy.gate.set()
    wait_for_another_token(credentials, first)
    assert proxy.counts == {PATH: 2}


def wait_for_another_token(credentials: ClientCredentials, old: str) -> str:
    deadline = time.monotonic() + 10
    while (token := credentials.token()) == old:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return token


def test_old_token_is_used_while_a_refresh_fails_and_until_it_expires(
    credentials: ClientCredentials, proxy: Proxy, clock: MovedClock
) -> None:
    first = credentials.token()
    proxy.is_down = True
    for _ in range(4):
        clock.elapsed += 60
        assert credentials.token() == first
    clock.elapsed += 30  # at 270 s of 300: real time goes on as well
    assert credentials.token() == first
    clock.elapsed += 28
    for ask in (credentials.token, lambda: asyncio.run(credentials.atoken())):
        with pytest.raises(LatchkeyUnavailable):
            ask()
    proxy.is_down = False
    clock.elapsed += 1
    assert credentials.token() != first


def test_failing_requests_are_not_repeated_at_once(
    credentials: ClientCredentials, proxy: Proxy, clock: MovedClock
) -> None:
    proxy.is_down = True
    for _ in range(20):
        with pytest.raises(LatchkeyUnavailable):
            credentials.token()
    assert proxy.counts == {PATH: 1}
    clock.elapsed += 1
    proxy.is_down = False
    assert credentials.token()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"scope": "users:write"}, "invalid_scope"),
        ({"resource": "https://third.example.com/"}, "invalid_target"),
    ],
)
def test_refusals_of_the_token_endpoint_are_errors_of_the_configuration(
    proxy: Proxy, secret: str, options: dict[str, Any], error: str
) -> None:
    arguments: dict[str, Any] = {"client_secret": secret} | options
    with pytest.raises(OAuthError) as refused:
        ClientCredentials(proxy.url, "jobs", **arguments).token()
    assert refused.value.error == error


def test_private_key_gets_a_token(latchkey: Server, proxy: Proxy, tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True) | {"kid": "one", "alg": "ES256"}
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [jwk]}))
    add_client(latchkey, "keyed", "--scope", "users:read", "--public-keys", str(tmp_path / "keys.json"))
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    keyed = ClientCredentials(proxy.url, "keyed", private_key=pem, key_id="one", algorithm="ES256", issuer=latchkey.url)
    assert decode_claims(keyed.token())["client_id"] == "keyed"
    wrongs: list[dict[str, Any]] = [
        {},
        {"client_secret": "x", "private_key": pem},
        {"private_key": pem, "algorithm": "HS256"},
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"either|private key"):
            ClientCredentials(proxy.url, "keyed", **wrong)


def revoke(latchkey: Server) -> None:
    """Refuse all tokens of the application until now; returns in the second after the last that is refused."""
    assert latchkey.command("applications", "revoke-tokens", "jobs").returncode == 0
    now = int(time.time())
    while int(time.time()) <= now:
        time.sleep(0.05)


def test_refused_token_makes_one_new_token_and_one_retry(
    latchkey: Server, proxy: Proxy, credentials: ClientCredentials, api: httpx.Client
) -> None:
    assert api.get(USERS).status_code == 200
    revoke(latchkey)
    assert api.get(USERS).status_code == 200
    assert proxy.counts == {PATH: 2, USERS: 3}

    async def ask() -> list[int]:
        async with httpx.AsyncClient(base_url=proxy.url, auth=LatchkeyAuth(credentials), timeout=20) as client:
            return [answer.status_code for answer in await asyncio.gather(*(client.get(USERS) for _ in range(10)))]

    revoke(latchkey)
    assert asyncio.run(ask()) == [200] * 10
    assert proxy.counts[PATH] == 3


def test_other_refusals_are_returned_without_a_retry(
    latchkey: Server, proxy: Proxy, secret: str, api: httpx.Client
) -> None:
    elsewhere = ClientCredentials(proxy.url, "jobs", secret, resource=AUDIENCE)
    with httpx.Client(base_url=proxy.url, auth=LatchkeyAuth(elsewhere)) as client:
        assert client.get(USERS).status_code == 401
    assert proxy.counts == {PATH: 2, USERS: 2}
    assert api.post(USERS, json={"email": "x@example.com"}).status_code == 403
    assert proxy.counts == {PATH: 3, USERS: 3}


def test_streamed_body_is_not_sent_again(
    latchkey: Server, proxy: Proxy, credentials: ClientCredentials, api: httpx.Client
) -> None:
    assert api.get(USERS).status_code == 200
    revoke(latchkey)
    answer = api.post(USERS, content=iter([b"{}"]), headers={"Content-Type": "application/json", "Content-Length": "2"})
    assert answer.status_code == 401
    assert proxy.counts == {PATH: 1, USERS: 2}
