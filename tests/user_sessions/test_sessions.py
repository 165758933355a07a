"""GET and DELETE /api/sessions/, DELETE /api/sessions/<id>/: the sessions of the own account."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
import time_machine
from django.db import connection

from latchkey.accounts.admin_actions import sign_out_everywhere
from latchkey.audit.models import AuditEvent
from latchkey.sessions.models import Session
from tests.people import Person
from tests.problems import assert_problem

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1"
)
KEYS = [
    "id",
    "created_at",
    "last_used_at",
    "expires_at",
    "ip",
    "device",
    "user_agent",
    "current",
    "amr",
    "acr",
    "authenticated_at",
]


def login_again(person: Person, user_agent: str = "curl/8.14") -> Person:
    """Return the same person, signed in once more on another device."""
    client = httpx.Client(transport=person.http._transport, base_url=person.http.base_url)
    client.headers["User-Agent"] = user_agent
    return replace(person, http=client, spent=[]).login()


def id_of(person: Person) -> str:
    return str(jwt.decode(person.access_token, options={"verify_signature": False})["sid"])


def listed(person: Person) -> list[dict[str, Any]]:
    answer = person.http.get("/api/sessions/", headers=person.bearer())
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def end_session(person: Person, which: str = "") -> httpx.Response:
    return person.http.delete(f"/api/sessions/{which}", headers=person.bearer())


def is_signed_in(person: Person) -> bool:
    """Tell whether both tokens work, and expect that it is not one alone; refreshes."""
    answers = person.me(), person.try_refresh()
    assert len({answer.status_code for answer in answers}) == 1
    return answers[0].status_code == 200


@pytest.mark.ledger("ASVS-7.5.2", "ASVS-10.4.9")
def test_session_list_names_every_device_and_marks_the_current_session(
    clock: time_machine.Traveller, alice: Person
) -> None:
    clock.shift(10)
    phone = login_again(alice, IPHONE)
    clock.shift(10)
    laptop = login_again(alice, FIREFOX)
    found = listed(laptop)
    assert [list(device) for device in found] == [KEYS] * 3
    assert [device["id"] for device in found] == [id_of(laptop), id_of(phone), id_of(alice)]
    assert [device["device"] for device in found[:2]] == ["Firefox on Linux", "Mobile Safari on iPhone"]
    assert [device["current"] for device in found] == [True, False, False]
    assert [device["current"] for device in listed(alice)] == [False, False, True]
    assert found[0] == {
        "id": id_of(laptop),
        "created_at": "2030-01-01T12:00:20Z",
        "last_used_at": "2030-01-01T12:00:20Z",
        "expires_at": "2030-01-31T12:00:20Z",
        "ip": "127.0.0.1",
        "device": "Firefox on Linux",
        "user_agent": FIREFOX,
        "current": True,
        "amr": ["pwd"],
        "acr": "aal1",
        "authenticated_at": "2030-01-01T12:00:20Z",
    }


def test_session_list_is_ordered_by_last_use(clock: time_machine.Traveller, alice: Person) -> None:
    clock.shift(10)
    phone = login_again(alice)
    clock.shift(10)
    alice.refresh()
    first, second = listed(phone)
    assert (first["id"], second["id"]) == (id_of(alice), id_of(phone))
    assert first["created_at"] == "2030-01-01T12:00:00Z"
    assert first["last_used_at"] == "2030-01-01T12:00:20Z"
    assert first["expires_at"] == "2030-01-31T12:00:20Z"


def test_session_ids_are_strings_as_they_exceed_javascript_numbers(alice: Person) -> None:
    row = Session.objects.get()
    row.pk, row.selector = 2**63 - 1, 1
    row.save(force_insert=True)
    assert sorted(device["id"] for device in listed(alice)) == sorted([id_of(alice), "9223372036854775807"])
    assert end_session(alice, "9223372036854775807/").status_code == 204


def test_session_list_contains_no_ended_sessions(clock: time_machine.Traveller, alice: Person, bob: Person) -> None:
    expired, signed_out = login_again(alice), login_again(alice)
    Session.objects.filter(pk=id_of(expired)).update(expires_at=Session.objects.get(pk=id_of(alice)).created_at)
    signed_out.logout()
    assert [device["id"] for device in listed(alice)] == [id_of(alice)]
    sign_out_everywhere([alice.id])
    alice.login()
    assert [device["id"] for device in listed(alice)] == [id_of(alice)]
    assert [device["id"] for device in listed(bob)] == [id_of(bob)]


@pytest.mark.ledger("ASVS-7.5.2", "ASVS-10.4.9")
def test_delete_session_ends_that_session_at_once(alice: Person, bob: Person) -> None:
    phone = login_again(alice)
    answer = end_session(alice, f"{id_of(phone)}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert_problem(phone.me(), 401, "invalid_token")
    assert_problem(phone.try_refresh(), 401, "invalid_refresh_token")
    assert is_signed_in(alice)
    assert is_signed_in(bob)


def test_delete_session_of_the_current_session_signs_it_out(alice: Person) -> None:
    phone = login_again(alice)
    assert end_session(alice, id_of(alice)).status_code == 204
    assert not is_signed_in(alice)
    assert is_signed_in(phone)


@pytest.mark.ledger("ASVS-8.2.2", "ASVS-7.5.2")
def test_delete_session_answers_404_alike_for_foreign_ended_and_unknown_ids(alice: Person, bob: Person) -> None:
    ended = login_again(alice)
    ended.logout()
    Session.objects.filter(pk=id_of(expired := login_again(alice))).update(expires_at=session_start(alice))
    asked = [id_of(bob), id_of(ended), id_of(expired), "0", "1", str(2**63 - 1)]
    asked += [str(2**63), "9" * 19, "-1", "+1", f"0{id_of(alice)}", f"{id_of(alice)}.0", "1e3", "x", "null"]
    asked += [f"%20{id_of(alice)}", "9" * 400, f"{id_of(alice)}%00", "%2e%2e", str(alice.id)]
    answers = [end_session(alice, f"{which}/") for which in asked]
    for answer in answers:
        assert_problem(answer, 404, "not_found")
        assert answer.content == answers[0].content
        assert answer.headers == answers[0].headers
    assert is_signed_in(alice)
    assert is_signed_in(bob)


def session_start(alice: Person) -> Any:
    return Session.objects.get(pk=id_of(alice)).created_at - timedelta(seconds=1)


@pytest.mark.ledger("ASVS-7.5.2")
def test_delete_sessions_ends_all_but_the_current_session(alice: Person, bob: Person) -> None:
    phone, laptop = login_again(alice), login_again(alice)
    answer = end_session(alice)
    assert (answer.status_code, answer.text) == (200, '{"ended": 2}')
    assert end_session(alice).text == '{"ended": 0}'
    assert not is_signed_in(phone)
    assert not is_signed_in(laptop)
    assert is_signed_in(alice)
    assert is_signed_in(bob)


def test_delete_sessions_with_all_true_ends_the_current_session_too(alice: Person, bob: Person) -> None:
    phone = login_again(alice)
    assert end_session(alice, "?all=false").text == '{"ended": 1}'
    phone.login()
    assert end_session(alice, "?all=true").text == '{"ended": 2}'
    assert_problem(end_session(alice, "?all=true"), 401, "invalid_token")
    assert not is_signed_in(alice)
    assert not is_signed_in(phone)
    assert is_signed_in(bob)


QUERIES = ["all=TRUE", "all=1", "all", "all=", "all=true&all=true", "all=true&all=false", "al=true", "all=true&x=1"]


@pytest.mark.parametrize("query", QUERIES)
def test_sessions_endpoints_refuse_a_malformed_query_and_end_nothing(alice: Person, query: str) -> None:
    login_again(alice)
    name = "all" if query.startswith("all") and "x=1" not in query else "query"
    assert_problem(end_session(alice, f"?{query}"), 400, "invalid", [name])
    assert_problem(end_session(alice, f"{id_of(alice)}/?{query}"), 400, "invalid", ["query"])
    got = alice.http.get(f"/api/sessions/?{query}", headers=alice.bearer())
    assert_problem(got, 400, "invalid", ["query"])
    assert Session.objects.count() == 2


def test_delete_session_and_sessions_record_an_event_per_ended_session(alice: Person) -> None:
    phone, laptop = login_again(alice), login_again(alice)
    end_session(alice, id_of(phone))
    end_session(alice)
    events = AuditEvent.objects.filter(name="session.ended").order_by("id")
    assert [(each.user_id, each.session_id, each.detail) for each in events] == [
        (alice.id, int(id_of(phone)), "devices"),
        (alice.id, int(id_of(laptop)), "devices"),
    ]


def test_sessions_endpoints_require_a_token(http: httpx.Client, alice: Person) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("DELETE", "?all=true"), ("DELETE", id_of(alice))):
        assert_problem(http.request(method, f"/api/sessions/{path}"), 401, "not_authenticated")
    assert is_signed_in(alice)


@pytest.mark.parametrize("slash", ["/", ""])
def test_sessions_endpoints_work_without_trailing_slash_and_refuse_other_methods(alice: Person, slash: str) -> None:
    for path, allowed, refused in (
        ("/api/sessions", "GET, DELETE, HEAD, OPTIONS", ("POST", "PUT", "PATCH")),
        (f"/api/sessions/{id_of(alice)}", "DELETE, OPTIONS", ("GET", "HEAD", "POST", "PUT", "PATCH")),
    ):
        for method in refused:
            answer = alice.http.request(method, f"{path}{slash}", headers=alice.bearer())
            assert_problem(answer, 405, "method_not_allowed")
            assert answer.headers["Allow"] == allowed
        options = alice.http.options(f"{path}{slash}", headers=alice.bearer())
        assert (options.status_code, options.headers["Allow"]) == (204, allowed)
    assert alice.http.get(f"/api/sessions{slash}", headers=alice.bearer()).status_code == 200


@pytest.mark.ledger("ASVS-14.2.6")
def test_session_list_contains_no_selectors_or_digests(alice: Person) -> None:
    row = Session.objects.get()
    text = alice.http.get("/api/sessions/", headers=alice.bearer()).text
    assert str(row.selector) not in text
    assert bytes(row.digest).hex() not in text


def test_sessions_endpoints_stay_within_their_statement_budgets(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    """Authentication takes one statement; on PostgreSQL the statement that ends a session also inserts its event."""
    phone, *_ = [login_again(alice) for _ in range(3)]
    kept = 0 if connection.vendor == "postgresql" else 1
    assert len(statements(lambda: listed(alice))) == 2
    assert len(statements(lambda: end_session(alice, id_of(phone)))) == 2 + kept
    assert len(statements(lambda: end_session(alice, id_of(phone)))) == 2
    assert len(statements(lambda: end_session(alice, "x"))) == 1
    assert len(statements(lambda: end_session(alice))) == 2 + 2 * kept
    assert len(statements(lambda: end_session(alice))) == 2


def test_browsable_page_of_sessions_has_a_delete_button(alice: Person) -> None:
    page = alice.http.get("/api/sessions/", headers=alice.bearer() | {"Accept": "text/html"})
    assert page.status_code == 200
    assert 'data-method="DELETE"' in page.text
    mine = alice.http.get("/api/me/", headers=alice.bearer() | {"Accept": "text/html"})
    assert 'data-method="DELETE"' not in mine.text
