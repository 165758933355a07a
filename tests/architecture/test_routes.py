"""Routes of the API: what derives from views (index, OpenAPI document, fast path, hashing queue) covers each view."""

import re
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, get_resolver

from latchkey.server.hashing_routes import HashingRoutes
from latchkey.web.api_view import ApiView
from latchkey.web.fast_path import fast_endpoints
from tests.people import PASSWORD, Person
from tests.support.hashing_cost import measure_hashing

OUTSIDE_THE_DOCUMENT = {"IndexView", "DocsView", "SchemaView"}


def api_views() -> dict[str, type[ApiView]]:
    """Return the view classes of the API by path with a trailing slash."""
    patterns = [pattern for pattern in get_resolver().url_patterns if isinstance(pattern, URLPattern)]
    views = {f"/{pattern.pattern}": getattr(pattern.callback, "cls", None) for pattern in patterns}
    return {path: view for path, view in views.items() if view and path.endswith("/")}


VIEWS = api_views()
METHODS = [(path, method) for path, view in VIEWS.items() for method in view().allowed_methods if method != "OPTIONS"]


def test_each_view_is_routed_with_and_without_a_trailing_slash() -> None:
    routes = {f"/{pattern.pattern}" for pattern in get_resolver().url_patterns}
    for path, view in VIEWS.items():
        assert path[:-1] in routes or view.__name__ in OUTSIDE_THE_DOCUMENT, path


def test_each_method_of_each_view_is_an_operation_of_the_openapi_document(http: httpx.Client) -> None:
    document = http.get("/api-doc/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    operations = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    documented = {(re.sub("<(.*?)>", r"{\1}", path), method) for path, method in METHODS if method != "HEAD"}
    hidden = {path for path, view in VIEWS.items() if view.__name__ in OUTSIDE_THE_DOCUMENT}
    assert operations == {(path, method) for path, method in documented if path not in hidden}


def test_the_index_lists_each_view_without_a_parameter(http: httpx.Client) -> None:
    listed = {url.removeprefix("http://127.0.0.1:8000") for url in http.get("/api/").json().values()}
    assert listed == {path for path, view in VIEWS.items() if "<" not in path and view.in_index}


def test_view_hashes_password_and_fast_handlers_name_allowed_methods_only() -> None:
    for path, view in VIEWS.items():
        methods = set(view().allowed_methods)
        assert set(view.hashes_password) | set(view.fast_handlers) <= methods, path


def test_the_fast_path_has_the_allowed_methods_of_the_view(http: httpx.Client) -> None:
    for (_, path), endpoint in fast_endpoints().items():
        assert dict(endpoint.headers)["Allow"] == http.options(path).headers["Allow"]


def body_of(alice: Person, path: str) -> dict[str, Any]:
    """Return values for every field that an endpoint may read; endpoints ignore the others."""
    return {
        "email": "mallory@example.com" if path in ("/api/register/", "/api/email/change/") else alice.email,
        "password": PASSWORD,
        "current_password": "not the right one",
        "new_password": "a password that is new",
        "username": "Alice",
        "refresh_token": alice.refresh_token,
        "token": "3J6W6QmG5cXBlMDaRTw1uXxQpmDjCqhI7ZQ8m3yPVnk",
    }


@pytest.mark.hashing
@pytest.mark.parametrize(("path", "method"), METHODS)
def test_the_hashing_queue_takes_each_request_that_hashes_a_password(alice: Person, path: str, method: str) -> None:
    concrete = path.replace("<session_id>", "1")
    with measure_hashing() as argon2:
        kind = (
            {"data": body_of(alice, path)}
            if path in ("/api/introspect/", "/api/revoke/")
            else {"json": body_of(alice, path)}
        )
        sent: dict[str, Any] = {} if method in ("GET", "HEAD") else kind
        alice.http.request(method, concrete, headers=alice.bearer(), **sent)
    if argon2.cost:
        assert HashingRoutes().match(method, concrete)


@pytest.mark.parametrize(
    "path",
    [
        *("/admin/login/", "/admin/password_change/", "/admin/latchkey/user/add/", "/admin/latchkey/user/1/password/"),
        *("/account/sign-in/", "/account/confirm/"),
    ],
)
def test_the_hashing_queue_takes_the_pages_that_hash_a_password(path: str) -> None:
    assert HashingRoutes().match("POST", path)
    assert HashingRoutes().match("POST", path.rstrip("/"))
    assert not HashingRoutes().match("GET", path)


def test_the_hashing_queue_takes_no_other_request() -> None:
    for method, path in (
        ("POST", "/api/refresh/"),
        ("GET", "/api/me/"),
        ("POST", "/admin/latchkey/user/"),
        ("POST", "/x"),
    ):
        assert not HashingRoutes().match(method, path)
