"""GET /api/me/events/: the audit events of the own account."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.admin_actions import reset_rate_limits
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.audit.models import AuditEvent
from latchkey.core.client import ClientInfo
from latchkey.profile.history import PAGE_SIZE
from tests.people import Person, try_login
from tests.problems import assert_problem

KEYS = ["id", "at", "event", "ip", "device", "session_id", "reason"]


def get_events(person: Person, query: str = "") -> httpx.Response:
    return person.http.get(f"/api/me/events/{query}", headers=person.bearer())


def events(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get_events(person).json()["events"]
    return found


def names(person: Person) -> list[str]:
    return [each["event"] for each in events(person)]


def test_event_list_returns_events_of_the_user_newest_first(clock: time_machine.Traveller, alice: Person) -> None:
    clock.shift(10)
    agent = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"}
    body = {"email": alice.email, "password": "not that one"}
    assert alice.http.post("/api/login/", json=body, headers=agent).status_code == 401
    answer = get_events(alice)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(answer.json()) == ["events", "next"]
    assert answer.json()["next"] is None
    failed, succeeded, registered = answer.json()["events"]
    assert [list(each) for each in (failed, succeeded, registered)] == [KEYS] * 3
    assert int(failed["id"]) > int(succeeded["id"]) > int(registered["id"])
    assert failed | {"id": ""} == {
        "id": "",
        "at": "2030-01-01T12:00:10Z",
        "event": "login.failed",
        "ip": "127.0.0.1",
        "device": "Firefox on Windows",
        "session_id": None,
        "reason": "",
    }
    assert (succeeded["event"], registered["event"]) == ("login.succeeded", "user.registered")
    assert succeeded["session_id"] == alice.http.get("/api/sessions/", headers=alice.bearer()).json()[0]["id"]


def test_event_list_includes_login_logout_and_refresh_token_reuse(alice: Person) -> None:
    phone = Person(alice.http, alice.email).login()
    phone.logout()
    alice.refresh().refresh()
    assert alice.try_refresh(alice.spent[0]).status_code == 401
    alice.login()
    assert names(alice)[:4] == ["login.succeeded", "session.replayed", "session.ended", "login.succeeded"]
    assert [each["reason"] for each in events(alice)][:4] == ["", "", "logout", ""]


def test_event_list_shows_admin_actions_without_ip_and_device(alice: Person) -> None:
    reset_rate_limits([alice.id])
    newest = events(alice)[0]
    assert (newest["event"], newest["ip"], newest["device"]) == ("rate_limit.reset", None, "")


@pytest.mark.ledger("ASVS-8.2.2")
def test_event_list_contains_no_events_of_other_users(alice: Person, bob: Person) -> None:
    try_login(bob.http, bob.email, "not that one")
    record(Event.LOGIN_FAILED, ClientInfo("192.0.2.1"))  # at an address without account
    assert names(alice) == ["login.succeeded", "user.registered"]
    assert names(bob) == ["login.failed", "login.succeeded", "user.registered"]
    newest_of_bob = AuditEvent.objects.filter(user_id=bob.id).latest("id").pk
    assert get_events(alice, f"?before={newest_of_bob}").json()["events"] == events(alice)


def test_event_list_pages_have_no_gap_while_events_are_added(alice: Person) -> None:
    AuditEvent.objects.bulk_create(AuditEvent(name="login.failed", user_id=alice.id) for _ in range(2 * PAGE_SIZE + 5))
    every = list(AuditEvent.objects.filter(user_id=alice.id).order_by("-id").values_list("pk", flat=True))
    seen, at = [], "http://127.0.0.1:8000/api/me/events/"
    while at:
        answer = alice.http.get(at, headers=alice.bearer())
        seen += [int(each["id"]) for each in answer.json()["events"]]
        at = answer.json()["next"]
        record(Event.LOGIN_FAILED, user_id=alice.id)
    assert seen == every
    assert len(seen) > 2 * PAGE_SIZE


def test_event_list_page_that_is_exactly_full_has_no_next_page(alice: Person) -> None:
    AuditEvent.objects.bulk_create(AuditEvent(name="login.failed", user_id=alice.id) for _ in range(PAGE_SIZE - 2))
    answer = get_events(alice).json()
    assert (len(answer["events"]), answer["next"]) == (PAGE_SIZE, None)


@pytest.mark.parametrize("before", ["0", "1", "007", "9" * 18])
def test_event_list_accepts_any_number_as_cursor(alice: Person, before: str) -> None:
    assert get_events(alice, f"?before={before}").status_code == 200


@pytest.mark.parametrize("query", ["before=", "before=-1", "before=x", "before=1.5", f"before={'9' * 19}", "before"])
def test_event_list_refuses_a_malformed_cursor(alice: Person, query: str) -> None:
    assert_problem(get_events(alice, f"?{query}"), 400, "invalid", ["before"])
    assert_problem(get_events(alice, "?before=1&before=2"), 400, "invalid", ["before"])
    assert_problem(get_events(alice, "?after=1"), 400, "invalid", ["query"])


def test_event_list_requires_a_token_and_refuses_other_methods(http: httpx.Client, alice: Person) -> None:
    assert_problem(http.get("/api/me/events/"), 401, "not_authenticated")
    for path in ("/api/me/events/", "/api/me/events"):
        assert alice.http.get(path, headers=alice.bearer()).status_code == 200
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = alice.http.request(method, path, headers=alice.bearer())
            assert_problem(answer, 405, "method_not_allowed")
            assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert 'id="bearer-token"' in get_events_page(alice)


def get_events_page(person: Person) -> str:
    return person.http.get("/api/me/events/", headers=person.bearer() | {"Accept": "text/html"}).text


def test_event_list_page_takes_two_statements(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    assert len(statements(lambda: get_events(alice))) == 2
    assert len(statements(lambda: get_events(alice, "?before=5"))) == 2
