"""Paths that are no route return 404: files of the server, variants of a route, and routes with a file suffix."""

from collections.abc import Callable

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.http_connection import Connection, request

FILES = ["/.git/HEAD", "/.git/config", "/.env", "/manage.py", "/settings.py", "/latchkey/settings.py", "/var/secret"]
FILES += ["/var/latchkey.sqlite3", "/__debug__/", "/pyproject.toml"]
FOLDERS = ["/static/", "/static", "/static/latchkey", "/static/latchkey/", "/static/admin/", "/static/admin/css/"]
ESCAPES = [f"/static/{up}settings.py" for up in ("../", "%2e%2e/", "..%2f", "latchkey/../../", "%252e%252e/", "..\\")]
ESCAPES += ["/static//etc/passwd", "/static/%2fetc/passwd", "/static/../../../../../../../../etc/passwd"]
FILE_SUFFIXES = [
    "x.css",
    ".css",
    "%2ex.css",
    ";x.css",
    "x.css?a=b",
    "static/x.js",
    "%0a.css",
    "%3fx.css",
    "%23x.css",
    "../x.css",
]
PATH_VARIANTS = ["//api/me/", "/API/me/", "/api//me/", "/api/./me/", "/api/x/../me/", "/api/me/;a=b", "/api/me.json"]
PATH_VARIANTS += ["/api/me/%00", "/api/me%20", "/api/me/%2e", "/api/%C0%AEme/", "/api/m%FFe/", "/api/me//"]


def assert_nothing(connect: Callable[[], Connection], path: str, *headers: bytes) -> None:
    answer = connect().send(request(f"GET {path}", *headers)).read_response()
    assert_problem(answer, 404, "not_found")


@pytest.mark.ledger("ASVS-13.4.1")
@pytest.mark.parametrize("path", FILES)
def test_path_of_a_server_file_returns_404(open_connection: Callable[[], Connection], path: str) -> None:
    assert_nothing(open_connection, path)


@pytest.mark.ledger("ASVS-13.4.3")
@pytest.mark.parametrize("path", FOLDERS)
def test_path_of_a_static_folder_returns_404(open_connection: Callable[[], Connection], path: str) -> None:
    assert open_connection().send(request("GET /static/latchkey/home.css")).read_response().status_code == 200
    assert_nothing(open_connection, path)


@pytest.mark.parametrize("path", ESCAPES)
def test_static_path_traversal_returns_404(open_connection: Callable[[], Connection], path: str) -> None:
    assert_nothing(open_connection, path)


@pytest.mark.ledger("ASVS-14.2.5")
@pytest.mark.parametrize("suffix", FILE_SUFFIXES)
def test_me_path_with_a_file_suffix_returns_404(
    open_connection: Callable[[], Connection], alice: Person, suffix: str
) -> None:
    bearer = f"Authorization: Bearer {alice.access_token}".encode()
    assert open_connection().send(request("GET /api/me/", bearer)).read_response().json()["email"] == alice.email
    assert_nothing(open_connection, f"/api/me/{suffix}", bearer)


@pytest.mark.ledger("H-SLASH-02")
@pytest.mark.parametrize("path", PATH_VARIANTS)
def test_variant_of_the_me_path_returns_404(
    open_connection: Callable[[], Connection], alice: Person, path: str
) -> None:
    assert_nothing(open_connection, path, f"Authorization: Bearer {alice.access_token}".encode())


def test_percent_encoded_letter_in_the_me_path_is_decoded_and_requires_a_token(
    open_connection: Callable[[], Connection], alice: Person
) -> None:
    bearer = f"Authorization: Bearer {alice.access_token}".encode()
    assert open_connection().send(request("GET /api/%6de/", bearer)).read_response().json()["email"] == alice.email
    assert_problem(open_connection().send(request("GET /api/%6de/")).read_response(), 401, "not_authenticated")


@pytest.mark.ledger("REG-DJANGO-03")
@pytest.mark.parametrize("path", ["/i18n/setlang/", "/setlang/"])
def test_set_language_path_returns_404_without_a_cookie(client: httpx.Client, path: str) -> None:
    answer = client.post(path, data={"language": "x" * 1000})
    assert_problem(answer, 404, "not_found")
    assert "Set-Cookie" not in answer.headers
