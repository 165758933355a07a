"""GET /api/verify/: validation of an access token for a reverse proxy or service."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.core import clock
from tests.oauth.conftest import ResourceServer
from tests.people import Person
from tests.problems import assert_problem
from tests.support.forged_tokens import forge
from tests.support.simultaneous import decode_claims
from tests.web.test_fast_path import READS, RequestArguments

ACCEPTS = ["*/*", "application/json", "text/html,*/*;q=0.8", "image/avif,image/webp", "garbage", ""]
"""Accept headers of browsers for pages and images, which a proxy passes on."""


def get_verify(person: Person, **headers: str) -> httpx.Response:
    return person.http.get("/api/verify/", headers=person.bearer() | headers)


def assert_identifies(answer: httpx.Response, person: Person) -> None:
    sid = decode_claims(person.access_token)["sid"]
    assert (answer.status_code, answer.content) == (204, b"")
    assert (answer.headers["X-User-Id"], answer.headers["X-Session-Id"]) == (str(person.id), sid)
    assert answer.headers["X-User-Email-Verified"] == "false"
    assert not {"Content-Type", "Content-Length"} & {name.title() for name in answer.headers}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ACCEPTS)
def test_verify_returns_user_and_session_headers_for_any_accept_header(alice: Person, bob: Person, accept: str) -> None:
    assert_identifies(get_verify(alice, Accept=accept), alice)
    assert_identifies(get_verify(bob, Accept=accept), bob)


@pytest.mark.parametrize("accept", ACCEPTS)
def test_verify_refuses_tokens_that_are_not_live(alice: Person, accept: str) -> None:
    assert_problem(alice.http.get("/api/verify/", headers={"Accept": accept}), 401, "not_authenticated")
    assert_problem(get_verify(alice, Accept=accept, Authorization="Bearer x.y.z"), 401, "invalid_token")
    assert_problem(
        get_verify(alice, Accept=accept, Authorization=f"Bearer {alice.refresh_token}"), 401, "invalid_token"
    )
    assert_identifies(get_verify(alice), alice)
    alice.logout()
    assert_problem(get_verify(alice, Accept=accept), 401, "invalid_token")


@pytest.mark.parametrize("accept", ACCEPTS)
def test_verify_tells_at_once_whether_the_email_address_is_confirmed(alice: Person, accept: str) -> None:
    for verified_at, told in ((clock.now(), "true"), (None, "false")):
        User.objects.filter(pk=alice.id).update(email_verified_at=verified_at)
        assert get_verify(alice, Accept=accept).headers.get_list("X-User-Email-Verified") == [told]


def test_verify_refuses_a_deactivated_user_at_the_next_request(
    alice: Person, user_row: Callable[[Person], Any]
) -> None:
    assert_identifies(get_verify(alice), alice)
    user = user_row(alice)
    user.is_active = False
    user.save()
    assert_problem(get_verify(alice), 401, "invalid_token")


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize("times", [{"exp": 2**53}, {"iat": 1}, {"exp": 10**300}])
def test_signed_access_token_with_a_longer_lifetime_than_any_setting_allows_is_refused_everywhere(
    alice: Person, payments: ResourceServer, accept: str, times: dict[str, Any]
) -> None:
    eternal, headers = forge(alice, **times), {"Accept": accept}
    assert_problem(get_verify(alice, Accept=accept, Authorization=f"Bearer {eternal}"), 401, "invalid_token")
    assert alice.http.get("/api/me/", headers=headers | {"Authorization": f"Bearer {eternal}"}).status_code == 401
    assert payments.introspect_json(eternal) == {"active": False}
    now = decode_claims(alice.access_token)["iat"]
    longest = forge(alice, exp=now + 3600)
    assert payments.introspect_json(longest)["active"] is True
    assert payments.introspect_json(forge(alice, exp=now + 3601)) == {"active": False}


def test_verify_sends_no_identity_headers_with_an_error(alice: Person) -> None:
    answer = get_verify(alice, Authorization="Bearer x.y.z")
    assert not {"x-user-id", "x-session-id"} & set(answer.headers)


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("case", READS.values(), ids=READS)
def test_verify_get_on_the_fast_path_has_the_headers_of_head_through_django(
    alice: Person, case: Callable[[Person], RequestArguments], slash: str
) -> None:
    """HEAD is never on the fast path, and has the status and headers of GET."""
    sent = case(alice)
    get, head = (alice.http.request(method, f"/api/verify{slash}", **sent) for method in ("GET", "HEAD"))
    assert (get.status_code, dict(get.headers)) == (head.status_code, dict(head.headers))


def test_verify_takes_one_statement_on_the_fast_path_and_through_django(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    for method in ("GET", "HEAD"):
        asked = statements(partial(alice.http.request, method, "/api/verify/", headers=alice.bearer()))
        assert len(asked) == 1


def test_verify_ignores_a_request_body(alice: Person) -> None:
    for body in (b"", b"{", b"x" * 60_000):
        answer = alice.http.request("GET", "/api/verify/", content=body, headers=alice.bearer())
        assert_identifies(answer, alice)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_verify_refuses_other_methods(alice: Person, method: str) -> None:
    answer = alice.http.request(method, "/api/verify/", headers=alice.bearer())
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
