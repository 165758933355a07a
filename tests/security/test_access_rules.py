"""Access control: every endpoint against the access tables of docs/security.md."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from latchkey.web.access import DeclaredAccess
from tests.people import Person
from tests.problems import assert_problem
from tests.support.admin_pages import Browser, save_user
from tests.support.browser_endpoints import OWN_ORIGIN
from tests.support.package_ast import find_calls
from tests.support.security_notes import code_spans, first_column_code_spans, read_table

RULES = {code_spans(row[0])[0]: row[1:] for row in read_table("Access by endpoint")}


def walk_routes(routes: Any = None, prefix: str = "/") -> Iterator[tuple[str, Any]]:
    """Yield every route with its view, those of the admin included."""
    for route in get_resolver().url_patterns if routes is None else routes:
        path = prefix + str(route.pattern)
        if isinstance(route, URLResolver):
            yield from walk_routes(route.url_patterns, path)
        else:
            yield path, route.callback


def is_allowed(visitor: Any, method: str, path: str) -> bool:
    """Return whether the visitor has access; a validation error or an unknown id counts as access.

    So does a refresh without its cookie, which is the 401 of an invalid refresh token.
    """
    answer = visitor.request(method, path)
    status = int(answer.status_code)
    if b"invalid_refresh_token" in answer.content:
        return True
    assert status in (200, 204, 302, 400, 401, 403, 404, 415), (method, path, status)
    return status in (200, 204, 400, 404, 415)


def asks_for_a_proof(view: Any) -> bool:
    """Tell whether a method of a view is not for anybody; an application may send its credential to some that are."""
    if DeclaredAccess not in getattr(view, "permission_classes", ()):
        return False
    found = [view.access_for(name.upper()) for name in view.http_method_names if hasattr(view, name)]
    return any(access.callers or (access.client and not access.is_optional) for access in found)


class Cookie:
    """A browser with a session cookie of the admin area."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def request(self, method: str, path: str) -> Any:
        origin = {"origin": "http://testserver"}
        return self.browser.generic(method, path, b"{}", content_type="application/json", headers=origin)


@pytest.mark.slow
@pytest.mark.ledger("ASVS-8.1.1", "ASVS-8.2.1", "ASVS-8.3.1", "RFC9700-2.3-1")
def test_every_endpoint_grants_access_as_the_documented_table_says(
    http: httpx.Client, alice: Person, admin: Browser, staff: Callable[..., Browser]
) -> None:
    http.headers["Origin"] = OWN_ORIGIN
    headers = {**alice.bearer(), "Origin": OWN_ORIGIN}
    user = httpx.Client(transport=http._transport, base_url=http.base_url, headers=headers)
    visitors = [http, user, Cookie(staff()), Cookie(admin)]
    for path, (methods, *cells) in RULES.items():
        for method in methods.split(", "):
            for visitor, cell in zip(visitors, cells, strict=True):
                assert is_allowed(visitor, method, path) == (cell == "yes"), (method, path, cell)


@pytest.mark.ledger("ASVS-8.1.1")
@pytest.mark.parametrize("model", ["user", "session", "auditevent", "mail", "application", "scope", "group"])
def test_admin_page_requires_the_view_permission_of_its_model(
    admin: Browser, staff: Callable[..., Browser], model: str
) -> None:
    clerk = Cookie(staff(f"view_{model}"))
    for path, (_, *cells) in RULES.items():
        if cells[2] == "with permission":
            assert is_allowed(clerk, "GET", path) == (f"/{model}/" in path), path


@pytest.mark.ledger("ASVS-8.2.1")
def test_documented_access_table_lists_every_route() -> None:
    own_routes = {f"/{route.pattern}" for route in get_resolver().url_patterns if isinstance(route, URLPattern)}
    assert {path for path in own_routes if path not in RULES and f"{path}/" not in RULES} == set()


@pytest.mark.ledger("ASVS-6.1.3")
def test_documented_authentication_table_lists_every_authenticating_endpoint(http: httpx.Client) -> None:
    asking = {path for path, view in walk_routes() if asks_for_a_proof(getattr(view, "cls", None))}
    words = ("login", "sign-in", "account/confirm", "reauthenticate", "token", "refresh")
    signing = {path for path, _ in walk_routes() if any(word in path for word in words)}
    assert {file for file, _ in find_calls("issue_pair")} == {
        "passwords/change.py",
        "sign_in/admission.py",
        "sessions/refresh.py",
    }
    assert {file for file, _ in find_calls("authenticate", "login")} == {
        *("applications/client_authentication.py", "oauth/client_authentication.py"),  # of applications
        "sign_in/login.py",
        "sign_in/fast_path.py",
        "sign_in/views.py",
        "browser_sessions/views.py",
    }
    assert {file for file, _ in find_calls("authenticate_access_token", "verify", "verify_any", "verify_key")} == {
        *("bearer_tokens/validation.py", "profile/fast_path.py", "sessions/access_tokens.py"),
        *("oauth/fast_path.py", "oauth/revocation.py", "tokens/access_token.py"),
        *("hashing/argon2.py", "hashing/legacy.py"),  # a hash
    }
    with_slash = {f"{path.rstrip('/')}/" for path in asking | signing}
    assert with_slash == set(first_column_code_spans("Authentication methods"))


@pytest.mark.ledger("ASVS-8.2.2", "ASVS-14.2.5")
@pytest.mark.parametrize(
    "path", ["me/{}", "me/x.css", "me/x.css/", "me;x.css", "user/{}/", "sessions/{}/x", "register/{}/"]
)
def test_api_has_no_path_to_the_record_of_another_user(alice: Person, bob: Person, path: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = alice.http.request(method, f"/api/{path.format(bob.id)}", headers=alice.bearer())
        assert_problem(answer, 404, "not_found")
    assert alice.me().status_code == bob.me().status_code == 200


@pytest.mark.ledger("ASVS-8.2.2")
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_people_without_a_scope_reach_no_record_of_users(alice: Person, bob: Person, method: str) -> None:
    for person in (alice, bob):
        answer = alice.http.request(method, f"/api/users/{person.id}/", headers=alice.bearer())
        assert_problem(answer, 403, "insufficient_scope")
    assert alice.me().status_code == bob.me().status_code == 200


@pytest.mark.ledger("ASVS-8.3.2")
def test_admin_refuses_a_former_staff_user_at_the_next_request(
    admin: Browser, staff: Callable[..., Browser], user_row: Any
) -> None:
    from latchkey.accounts.models import User

    clerk = staff("view_user")
    assert clerk.get("/admin/latchkey/user/").status_code == 200
    save_user(admin, User.objects.get(email="clerk@example.com").pk, is_staff=None)
    assert clerk.get("/admin/latchkey/user/").status_code == 302


@pytest.mark.ledger("ASVS-3.5.1", "NIST-5.1-3")
def test_api_ignores_the_session_cookie_of_the_admin(admin: Browser) -> None:
    assert admin.get("/admin/").status_code == 200
    answer = admin.get("/api/me/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert not answer.cookies
