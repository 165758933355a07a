"""LATCHKEY_PUBLIC_URL with a path: every link, form, redirect and cookie is below it; the proxy takes the path away."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server
from tests.support.production import production_server

URL = "https://example.com/auth"
LINKS = re.compile(r'(?:href|src|action)="([^"#]+)"|url: "([^"]+)"')


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    server = production_server(
        tmp_path,
        database_url,
        LATCHKEY_PUBLIC_URL=f"{URL}/",
        LATCHKEY_ALLOWED_HOSTS="example.com",
        LATCHKEY_TRUSTED_PROXIES="1",
    ).start()
    yield server
    server.kill()


@pytest.fixture
def browser(server: Server) -> Iterator[httpx.Client]:
    """A client behind a proxy that takes /auth away; its cookies are kept as a browser keeps them."""

    class Proxy(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert request.url.path.startswith("/auth/"), request.url
            raw = request.url.raw_path.removeprefix(b"/auth")
            target = httpx.URL(server.url).copy_with(raw_path=raw)
            forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "::1"}
            headers = {**request.headers, **forwarded}  # with the Host, which is example.com
            return super().handle_request(httpx.Request(request.method, target, headers=headers, stream=request.stream))

    with httpx.Client(base_url=URL, transport=Proxy(), headers={"Accept": "text/html,*/*;q=0.8"}) as client:
        yield client


def test_every_link_of_every_page_is_below_the_path_and_works(browser: httpx.Client) -> None:
    sign_in(browser)
    pages = ["/", "/api/", "/api/me/", "/api/login/", "/api-doc/", "/forgot-password/", "/reset-password/?token=x"]
    pages += ["/account/security/", "/account/security/authenticator/", "/account/security/passkeys/add/"]
    pages += ["/admin/", "/admin/latchkey/user/", "/admin/constance/config/", "/admin/password_change/"]
    seen: set[str] = set()
    for path in pages:
        page = browser.get(path)
        assert page.headers["Content-Type"].startswith("text/html"), path
        found = [one or other for one, other in LINKS.findall(page.text)]
        assert found, path
        for link in {link.replace("&amp;", "&") for link in found if not link.startswith("?")} - seen:
            assert link.startswith(("/auth/", "data:", "https://example.com/auth/")), (path, link)
            seen.add(link)
    for link in sorted(link for link in seen if link.startswith("/auth/") and "logout" not in link):
        assert browser.get(link.removeprefix("/auth")).status_code in (200, 302, 400, 401, 405), link


def sign_in(browser: httpx.Client) -> None:
    """Sign in to the admin area as a browser does, redirect included."""
    answer = browser.get("/admin/")
    assert answer.headers["Location"] == "/auth/admin/login/?next=/auth/admin/"
    page = browser.get("/admin/login/?next=/auth/admin/")
    assert "Path=/auth/" in page.headers["Set-Cookie"]
    assert page.headers["Set-Cookie"].startswith("__Secure-csrftoken=")
    form = {
        "username": ADMIN_EMAIL,
        "password": ADMIN_PASSWORD,
        "next": "/auth/admin/",
        "csrfmiddlewaretoken": browser.cookies["__Secure-csrftoken"],
    }
    done = browser.post("/admin/login/", data=form, headers={"Origin": "https://example.com", "Referer": URL})
    assert (done.status_code, done.headers["Location"]) == (302, "/auth/admin/")
    assert re.search(r"__Secure-sessionid=[^;]+;.* Path=/auth/;", done.headers["Set-Cookie"])
    assert browser.get("/admin").headers["Location"] == "/auth/admin/"
    assert browser.get("/admin/").status_code == 200


def test_documents_name_the_path(browser: httpx.Client) -> None:
    json = {"Accept": "application/json"}
    assert browser.get("/api/", headers=json).json()["login"] == f"{URL}/api/login/"
    metadata = browser.get("/.well-known/openid-configuration", headers=json).json()
    assert metadata["issuer"] == URL
    assert browser.get(metadata["jwks_uri"].removeprefix(URL), headers=json).status_code == 200
    document = browser.get("/api-doc/schema/", headers=json).json()
    assert document["servers"] == [{"url": "/auth"}]
    assert "/api/login/" in document["paths"]


def test_path_is_not_served_twice(server: Server) -> None:
    headers = {"Host": "example.com"}
    assert httpx.get(f"{server.url}/auth/livez", headers=headers).status_code == 404
    assert httpx.get(f"{server.url}/livez", headers=headers).status_code == 200
    log = server.log.read_text()
    assert '"request": "GET /livez"' in log


def test_mails_link_below_the_path(server: Server) -> None:
    code = (
        "from latchkey.email_codes.models import Purpose\nfrom latchkey.email_codes.one_time_codes import issue\n"
        "print(issue(User.objects.first(), Purpose.PASSWORD_RESET).link)"
    )
    assert server.shell(code).startswith(f"{URL}/reset-password/?token=")
