"""Plain HTTP at nginx: the API is refused, as a redirect would come after the password was sent; pages redirect."""

from collections.abc import Callable
from itertools import product

import httpx
import pytest

from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.proxy.nginx import SAMPLE, Nginx
from tests.proxy.tls_client import PUBLIC_HOST_HEADER
from tests.support.http_connection import Connection, request
from tests.support.production import HOST, PUBLIC_URL

pytestmark = pytest.mark.proxy

PATHS = [
    f"/api/{endpoint}{slash}"
    for endpoint, slash in product(["register", "login", "refresh", "logout", "me"], ["", "/"])
]


@pytest.mark.ledger("ASVS-4.1.2", "ASVS-12.2.1", "NIST-3.1.1.2-15")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", [*PATHS, "/api/", "/livez", "/nothing"])
def test_api_over_plain_http_is_refused_without_a_redirect(plain_http: httpx.Client, method: str, path: str) -> None:
    answer = plain_http.request(method, path, json={"email": "alice@example.com", "password": PASSWORD})
    assert_problem(answer, 403, "permission_denied")
    assert "Location" not in answer.headers


@pytest.mark.ledger("ASVS-4.1.2", "NIST-3.1.1.2-15")
def test_requests_over_plain_http_have_no_effect(plain_http: httpx.Client, https: httpx.Client, alice: Person) -> None:
    assert plain_http.post("/api/logout/", json={"refresh_token": alice.refresh_token}).status_code == 403
    assert plain_http.post("/api/refresh/", json={"refresh_token": alice.refresh_token}).status_code == 403
    assert plain_http.get("/api/me/", headers=alice.bearer()).status_code == 403
    newcomer = {"email": "newcomer@example.com", "password": PASSWORD}
    assert plain_http.post("/api/register/", json=newcomer).status_code == 403
    assert https.post("/api/login/", json=newcomer).status_code == 401
    assert alice.refresh().me().status_code == 200


@pytest.mark.ledger("ASVS-4.1.2")
@pytest.mark.parametrize("path", ["/", "/admin", "/admin/", "/admin/login/", "/api-doc/"])
def test_pages_over_plain_http_redirect_to_https(plain_http: httpx.Client, https: httpx.Client, path: str) -> None:
    answer = plain_http.get(path, params={"token": "s3cret"})
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{PUBLIC_URL}{path}")
    assert https.get(path).status_code < 400
    assert plain_http.post(path, data={"password": PASSWORD}).status_code == 403


@pytest.mark.ledger("ASVS-12.2.1")
@pytest.mark.parametrize("claim", ["X-Forwarded-Proto", "X_Forwarded_Proto", "X-Forwarded-Ssl", "Front-End-Https"])
def test_forwarded_proto_headers_over_plain_http_do_not_count_as_tls(plain_http: httpx.Client, claim: str) -> None:
    answer = plain_http.get("/api/", headers={claim: "https"})
    assert_problem(answer, 403, "permission_denied")
    assert "strict-transport-security" not in answer.headers


@pytest.mark.ledger("ASVS-12.2.2")
def test_proxy_serves_acme_challenges_over_plain_http(proxy: Nginx, plain_http: httpx.Client) -> None:
    (proxy.acme / "token").write_text("token.thumbprint")
    answer = plain_http.get("/.well-known/acme-challenge/token")
    assert (answer.status_code, answer.text) == (200, "token.thumbprint")
    assert plain_http.get("/.well-known/acme-challenge/other").status_code == 404
    assert plain_http.get("/.well-known/acme-challenge/..%2f..%2fkey.pem").status_code in (400, 403, 404)
    operations = SAMPLE.parents[1] / "docs" / "operations.md"
    assert "certbot certonly --webroot" in operations.read_text()
    assert "certbot certonly --webroot" in SAMPLE.read_text()


@pytest.mark.parametrize("host", ["evil.example", f"{HOST}.evil.example", "127.0.0.1", ""])
def test_proxy_refuses_another_host_over_plain_http(plain_http: httpx.Client, host: str) -> None:
    assert plain_http.get("/", headers={"Host": HOST}).status_code == 301
    answer = plain_http.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.text


@pytest.fixture
def connect(proxy: Nginx) -> Callable[[], Connection]:
    return lambda: Connection(proxy.http)


@pytest.mark.ledger("H-SMUG-07")
@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/9.9", "HTTP/1.2.3", "http/1.1", "HTTP"])
def test_proxy_refuses_unknown_http_versions(connect: Callable[[], Connection], version: str) -> None:
    with connect() as connection:
        asked = b"GET / %b\r\n%b\r\n" % (version.encode(), PUBLIC_HOST_HEADER)
        assert connection.send(asked).read_response().status_code in (400, 505)
        assert connection.is_closed()


@pytest.mark.ledger("H-SMUG-07")
def test_proxy_refuses_the_http_2_preface_over_plain_http(connect: Callable[[], Connection]) -> None:
    with connect() as connection:
        connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        assert connection.read_response().status_code in (400, 505)
        assert connection.is_closed()


@pytest.mark.ledger("H-SMUG-07")
def test_proxy_refuses_http_0_9(connect: Callable[[], Connection]) -> None:
    with connect() as connection:
        connection.send(b"GET /\r\n")
        refusal = connection.socket.recv(4096)  # that version has no status line
        assert b"<title>400 Bad Request</title>" in refusal
        assert connection.is_closed()


@pytest.mark.ledger("H-SMUG-07")
def test_proxy_answers_http_1_0_and_closes_the_connection(connect: Callable[[], Connection]) -> None:
    with connect() as connection:
        asked = request("GET /", host=PUBLIC_HOST_HEADER).replace(b"HTTP/1.1", b"HTTP/1.0")
        assert connection.send(asked).read_response().status_code == 301
        assert connection.is_closed()
