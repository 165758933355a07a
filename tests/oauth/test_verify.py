"""GET /api/verify/"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.simultaneous import decode_claims
from tests.web.test_fast_path import READS, RequestArguments

ACCEPTS = ["*/*", "application/json", "text/html,*/*;q=0.8", "image/avif,image/webp", "garbage", ""]
"""A proxy passes on what the browser says, for a page or a picture."""


def get_verify(person: Person, **headers: str) -> httpx.Response:
    return person.http.get("/api/verify/", headers=person.bearer() | headers)


def assert_identifies(answer: httpx.Response, person: Person) -> None:
    sid = decode_claims(person.access_token)["sid"]
    assert (answer.status_code, answer.content) == (204, b"")
    assert (answer.headers["X-User-Id"], answer.headers["X-Session-Id"]) == (str(person.id), sid)
    assert not {"Content-Type", "Content-Length"} & {name.title() for name in answer.headers}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ACCEPTS)
def test_verify_tells_whose_token_it_is_whatever_is_accepted(alice: Person, bob: Person, accept: str) -> None:
    assert_identifies(get_verify(alice, Accept=accept), alice)
    assert_identifies(get_verify(bob, Accept=accept), bob)


@pytest.mark.parametrize("accept", ACCEPTS)
def test_verify_refuses_what_is_no_live_token(alice: Person, accept: str) -> None:
    assert_problem(alice.http.get("/api/verify/", headers={"Accept": accept}), 401, "not_authenticated")
    assert_problem(get_verify(alice, Accept=accept, Authorization="Bearer x.y.z"), 401, "invalid_token")
    assert_problem(
        get_verify(alice, Accept=accept, Authorization=f"Bearer {alice.refresh_token}"), 401, "invalid_token"
    )
    assert_identifies(get_verify(alice), alice)
    alice.logout()
    assert_problem(get_verify(alice, Accept=accept), 401, "invalid_token")


def test_an_inactive_user_is_refused_at_the_next_request(alice: Person, user_row: Callable[[Person], Any]) -> None:
    assert_identifies(get_verify(alice), alice)
    user = user_row(alice)
    user.is_active = False
    user.save()
    assert_problem(get_verify(alice), 401, "invalid_token")


def test_a_refusal_names_nobody(alice: Person) -> None:
    answer = get_verify(alice, Authorization="Bearer x.y.z")
    assert not {"x-user-id", "x-session-id"} & set(answer.headers)


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("case", READS.values(), ids=READS)
def test_verify_answers_alike_both_ways(alice: Person, case: Callable[[Person], RequestArguments], slash: str) -> None:
    """A HEAD goes the long way, and has what a GET has but for the body."""
    sent = case(alice)
    short, long = (alice.http.request(method, f"/api/verify{slash}", **sent) for method in ("GET", "HEAD"))
    assert (short.status_code, dict(short.headers)) == (long.status_code, dict(long.headers))


def test_verify_takes_one_statement_either_way(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    for method in ("GET", "HEAD"):
        asked = statements(lambda method=method: alice.http.request(method, "/api/verify/", headers=alice.bearer()))
        assert len(asked) == 1


def test_verify_reads_no_body(alice: Person) -> None:
    for body in (b"", b"{", b"x" * 60_000):
        answer = alice.http.request("GET", "/api/verify/", content=body, headers=alice.bearer())
        assert_identifies(answer, alice)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_verify_refuses_other_methods(alice: Person, method: str) -> None:
    answer = alice.http.request(method, "/api/verify/", headers=alice.bearer())
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
