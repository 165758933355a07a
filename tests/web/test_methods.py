"""HTTP methods: what each path answers to each method, and its Allow header."""

import httpx
import pytest

from latchkey.accounts.models import User
from tests.people import PASSWORD, Person
from tests.problems import assert_problem

POSTED = ["register", "login", "refresh", "logout"]


@pytest.mark.ledger("H-METH-02", "H-METH-06", "RFC9110-15.5.6", "RFC9110-9.1", "ASVS-3.5.3", "ASVS-10.6.2", "CS-REST-1")
@pytest.mark.parametrize("name", POSTED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_post_endpoints_refuse_other_methods(http: httpx.Client, name: str, method: str) -> None:
    answer = http.request(method, f"/api/{name}/", json={"email": "alice@example.com", "password": PASSWORD})
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST, OPTIONS"
    assert not User.objects.exists()


@pytest.mark.parametrize("method", ["POST", "TRACE", "FOO"])
def test_me_refuses_other_methods_with_a_valid_token(alice: Person, method: str) -> None:
    answer = alice.http.request(method, "/api/me/", headers=alice.bearer())
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
    assert alice.me().status_code == 200


@pytest.mark.ledger("H-METH-03", "RFC9110-9.3.7")
@pytest.mark.parametrize("name", POSTED)
def test_options_of_post_endpoints_returns_only_allow(http: httpx.Client, name: str) -> None:
    answer = http.options(f"/api/{name}/")
    assert (answer.status_code, answer.content, answer.headers["Allow"]) == (204, b"", "POST, OPTIONS")


def test_options_of_me_and_the_api_index_returns_only_allow(alice: Person) -> None:
    mine = alice.http.options("/api/me/", headers=alice.bearer())
    assert (mine.status_code, mine.content) == (204, b"")
    assert mine.headers["Allow"] == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
    assert_problem(alice.http.options("/api/me/"), 401, "not_authenticated")
    index = alice.http.options("/api/")
    assert (index.status_code, index.content, index.headers["Allow"]) == (204, b"", "GET, HEAD, OPTIONS")


@pytest.mark.ledger("RFC9110-9.3.2")
@pytest.mark.parametrize("path", ["/api/me/", "/api/", "/livez", "/readyz", "/", "/api-doc/", "/api-doc/schema/"])
def test_head_has_the_headers_of_get(alice: Person, path: str) -> None:
    got, headed = alice.http.get(path, headers=alice.bearer()), alice.http.head(path, headers=alice.bearer())
    assert got.status_code == headed.status_code == 200
    for header in ("Content-Type", "Cache-Control", "Content-Length"):
        assert got.headers.get(header) == headed.headers.get(header)


@pytest.mark.ledger("H-METH-05")
def test_method_override_headers_and_parameters_are_ignored(alice: Person) -> None:
    override = {"X-HTTP-Method-Override": "PUT", "X-HTTP-Method": "PUT", "X-Method-Override": "PUT"}
    answer = alice.http.get("/api/me/?_method=PUT&username=Mallory", headers=alice.bearer() | override)
    assert answer.json()["username"] == ""
    posted = alice.http.post("/api/me/?_method=PUT", headers=alice.bearer() | override)
    assert_problem(posted, 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/", "/api/", "/api-doc/", "/api-doc/schema/"])
def test_read_only_pages_refuse_other_methods(http: httpx.Client, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"):
        answer = http.request(method, path)
        assert_problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"].startswith("GET, HEAD")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/"])
def test_options_of_health_checks_and_home_page_is_refused_with_allow(http: httpx.Client, path: str) -> None:
    answer = http.options(path)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/api-doc/", "/api-doc/schema/"])
def test_options_of_the_api_docs_returns_only_allow(http: httpx.Client, path: str) -> None:
    answer = http.options(path)
    assert (answer.status_code, answer.content, answer.headers["Allow"]) == (204, b"", "GET, HEAD, OPTIONS")
