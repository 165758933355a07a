"""HTTP responses of a production server behind its proxy: cookies, HSTS, hosts, and paths that do not exist."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from django.conf import settings

from tests.people import Person
from tests.problems import assert_problem
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server, create_database
from tests.support.production import HOST, PUBLIC_URL, production_server

StartServer = Callable[..., Server]
TLS = {"Host": HOST, "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    servers: list[Server] = []

    def start(**environment: str) -> Server:
        url = create_database(settings.DATABASE_URL) if settings.DATABASE_URL else ""
        servers.append(production_server(tmp_path_factory.mktemp("production"), url, **environment))
        return servers[-1].start()

    yield start
    for server in servers:
        if server.process:
            server.kill()


@pytest.fixture(scope="module")
def proxied(start_server: StartServer) -> Iterator[httpx.Client]:
    """A client behind the one trusted proxy, which speaks TLS."""
    server = start_server(LATCHKEY_TRUSTED_PROXIES="1")
    with httpx.Client(base_url=server.url, headers=TLS) as client:
        yield client


@pytest.fixture(scope="module")
def direct(start_server: StartServer) -> Iterator[httpx.Client]:
    """A client of a server without a trusted proxy and without a configured superuser."""
    server = start_server(LATCHKEY_ADMIN_EMAIL="", LATCHKEY_ADMIN_PASSWORD="")
    with httpx.Client(base_url=server.url, headers={"Host": HOST}) as client:
        yield client


def sign_in(proxied: httpx.Client) -> tuple[httpx.Response, httpx.Response]:
    """Sign in to the admin as a browser does; return the responses of the page and of the form."""
    form = proxied.get("/admin/login/")
    typed = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
    assert typed
    sent = {"username": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "csrfmiddlewaretoken": typed[1], "next": "/admin/"}
    cookie = form.headers["set-cookie"].partition(";")[0]  # the client keeps Secure cookies back: it speaks no TLS
    done = proxied.post("/admin/login/", data=sent, headers={"Cookie": cookie, "Origin": PUBLIC_URL})
    assert (done.status_code, done.headers["location"]) == (302, "/admin/")
    return form, done


@pytest.mark.ledger("ASVS-3.3.1", "ASVS-3.3.2", "ASVS-3.3.3", "ASVS-3.3.5", "NIST-5.1.1", "ASVS-3.3.4")
def test_production_cookies_have_the_host_prefix_secure_and_samesite(proxied: httpx.Client) -> None:
    cookies = [cookie for answer in sign_in(proxied) for cookie in answer.headers.get_list("set-cookie")]
    assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-sessionid", "__Host-csrftoken"}
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "path=/", "samesite=lax"} <= attributes
        assert not any(attribute.startswith("domain") for attribute in attributes)
        assert ("httponly" in attributes) == cookie.startswith("__Host-sessionid")
        assert len(cookie) < 4096
        assert ADMIN_EMAIL not in cookie


@pytest.mark.ledger("ASVS-3.3.4")
def test_api_responses_set_no_cookie(proxied: httpx.Client) -> None:
    alice = Person(proxied, "alice@example.com").register().login()
    for answer in (alice.me(), alice.try_refresh(), alice.logout(), proxied.get("/api/")):
        assert "set-cookie" not in answer.headers


@pytest.mark.ledger("ASVS-3.4.1", "DJ-W004")
@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/api/", 200), ("/api/me/", 401), ("/nowhere", 404), ("/static/latchkey/home.css", 200)],
)
def test_every_response_over_tls_has_hsts(proxied: httpx.Client, path: str, status: int) -> None:
    answer = proxied.get(path)
    assert answer.status_code == status
    assert answer.headers["strict-transport-security"] == "max-age=63072000"


@pytest.mark.ledger("DJ-LIST-7")
def test_x_forwarded_proto_is_ignored_without_a_trusted_proxy(proxied: httpx.Client, direct: httpx.Client) -> None:
    assert "strict-transport-security" in proxied.get("/api/").headers
    assert "strict-transport-security" not in direct.get("/api/", headers=TLS).headers


@pytest.mark.ledger("DJ-LIST-7", "DJ-W020")
def test_unknown_host_returns_400_and_x_forwarded_host_is_ignored(proxied: httpx.Client) -> None:
    evil = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "666"}
    assert proxied.get("/api/", headers=evil).text == proxied.get("/api/").text
    assert "evil" not in proxied.get("/api/", headers=evil).text
    assert proxied.get("/api/", headers={"Host": f"eu.{HOST}"}).status_code == 200
    for host in ("evil.example", f"{HOST}.evil.example", f"evil{HOST}"):
        assert_problem(proxied.get("/api/", headers={"Host": host}), 400, "bad_request", None)


@pytest.mark.ledger("DJ-LIST-8")
def test_request_body_of_70_kb_returns_413(proxied: httpx.Client) -> None:
    def post(size: int) -> httpx.Response:
        typed = {"email": "alice@example.com", "password": "x" * size}
        return httpx.post(f"{proxied.base_url}/api/login/", json=typed, headers=TLS)

    assert post(60_000).status_code == 400
    assert_problem(post(70_000), 413, "content_too_large")


@pytest.mark.ledger("DJ-LIST-9")
@pytest.mark.parametrize("endpoint", ["register", "login", "refresh", "logout"])
def test_endpoint_path_without_trailing_slash_gives_the_same_response(proxied: httpx.Client, endpoint: str) -> None:
    with_slash, without = (proxied.post(f"/api/{endpoint}{slash}", json={}) for slash in ("/", ""))
    assert_problem(with_slash, 400, "invalid")
    assert (without.status_code, without.text) == (400, with_slash.text)


@pytest.mark.ledger("ASVS-13.4.3", "REG-DJANGO-03")
@pytest.mark.parametrize(
    "path", ["/static/", "/static/latchkey/", "/media/", "/__debug__/", "/i18n/setlang/", "/.git/HEAD", "/.env"]
)
def test_path_without_a_route_returns_404(proxied: httpx.Client, path: str) -> None:
    assert proxied.get("/static/latchkey/home.css").status_code == 200
    assert_problem(proxied.get(path), 404, "not_found")


@pytest.mark.ledger("ASVS-6.3.2")
def test_new_production_server_has_no_default_accounts(direct: httpx.Client) -> None:
    Person(direct, "alice@example.com").register().login()
    for email in ("admin@example.com", "admin@amin.com", "root@localhost.com", "demo@example.com"):
        for password in ("admin", "123Qwe123", "password"):
            answer = direct.post("/api/login/", json={"email": email, "password": password})
            assert_problem(answer, 401, "invalid_credentials")
