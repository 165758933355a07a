"""Forwarded headers, request ids and caching at nginx: client claims are dropped, and responses are not shared."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.http.test_host_header import CLAIMS
from tests.people import Person
from tests.problems import assert_problem
from tests.proxy.nginx import SAMPLE, Nginx
from tests.proxy.tls_client import PUBLIC_HOST_HEADER, TlsConnection, proxy_client, with_public_host
from tests.server import Server
from tests.support.http_connection import post, request
from tests.support.production import PUBLIC_URL

pytestmark = pytest.mark.proxy


@pytest.mark.ledger("ASVS-4.1.3", "REG-DJANGO-18")
@pytest.mark.parametrize("order", [1, -1])
def test_proxy_overwrites_forwarded_headers_sent_by_a_client(
    connect: Callable[[], TlsConnection], upstream: Server, alice: Person, order: int
) -> None:
    claims = [b"X-Forwarded-For: 6.6.6.6, 7.7.7.7", *CLAIMS][::order]
    index = connect().send(request("GET /api/", *claims, host=PUBLIC_HOST_HEADER)).read_response()
    assert index.json()["login"] == f"{PUBLIC_URL}/api/login/"
    begun = upstream.log.stat().st_size
    signing_in = post("/api/login/", {"email": alice.email, "password": alice.password}, *claims)
    signed_in = connect().send(with_public_host(signing_in)).read_response()
    assert signed_in.status_code == 200
    stored = upstream.shell(f"print(*Session.objects.filter(user_id={alice.id}).values_list('ip', flat=True))")
    assert stored.split() == ["127.0.0.1", "127.0.0.1"]
    logged = upstream.log.read_text()[begun:]
    assert "127.0.0.1" in logged
    assert "6.6.6.6" not in logged
    assert "evil.example" not in logged


@pytest.mark.ledger("ASVS-4.1.3")
def test_proxy_drops_a_request_id_sent_by_a_client(https: httpx.Client, upstream: Server) -> None:
    begun = upstream.log.stat().st_size
    assert_problem(https.get("/api/me/", headers={"X-Request-ID": "chosen-by-mallory"}), 401, "not_authenticated")
    deadline = time.monotonic() + 5
    while "request_finished" not in upstream.log.read_text()[begun:]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert "chosen-by-mallory" not in upstream.log.read_text()[begun:]


@pytest.mark.ledger("ASVS-14.2.2", "REG-DJANGO-08")
def test_proxy_never_gives_a_client_the_response_of_another(proxy: Nginx, https: httpx.Client) -> None:
    people = [Person(https, f"crowd{number}@example.com").register().login() for number in range(4)]

    def ask(person: Person) -> None:
        with proxy_client(proxy) as person.http:
            for _ in range(50):
                answer = person.me()
                assert answer.json() == {"id": person.id, "username": "", "email": person.email}
                assert answer.headers["Cache-Control"] == "no-store"
                assert not {"Age", "X-Cache", "X-Cache-Status"} & set(answer.headers)
            assert_problem(person.http.get("/api/me/"), 401, "not_authenticated")

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(ask, people))
    alice, alice.http = people[0], https
    assert alice.me().status_code == 200
    alice.logout()
    assert_problem(alice.me(), 401, "invalid_token")


@pytest.mark.ledger("ASVS-14.2.2")
def test_proxy_stores_no_responses_bodies_or_secrets(proxy: Nginx, https: httpx.Client, alice: Person) -> None:
    assert "proxy_cache off;" in SAMPLE.read_text()
    assert "proxy_cache_path" not in SAMPLE.read_text()
    bundle = https.get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js")
    assert len(bundle.content) == int(bundle.headers["Content-Length"]) > 1_000_000
    assert https.patch("/api/me/", json={"username": "x" * 60_000}, headers=alice.bearer()).status_code == 400
    assert not list((proxy.folder / "bodies").iterdir())
    assert not list((proxy.folder / "answers").iterdir())
    logs = [(proxy.folder / name).read_text() for name in ("access.log", "error.log", "output.log")]
    assert "POST /api/register/" in logs[0]
    for secret in (alice.access_token, alice.refresh_token, alice.password):
        assert not any(secret in log for log in logs)


@pytest.mark.ledger("ASVS-13.4.5")
@pytest.mark.parametrize("path", ["/metrics", "/metrics?a=1", "/%6detrics", "/api/../metrics"])
def test_proxy_does_not_expose_metrics(https: httpx.Client, upstream: Server, path: str) -> None:
    assert_problem(https.get(path), 404, "not_found")
    assert "GET /metrics" not in upstream.log.read_text()
