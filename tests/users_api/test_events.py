"""Audit events of a user over the API for back ends."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.audit.models import AuditEvent
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.user_sessions.test_sessions import FIREFOX, id_of, login_again
from tests.users_api.callers import READ, WRITE, application, person


def test_list_of_events_says_what_happened_where_and_by_whom(http: httpx.Client, alice: Person, bob: Person) -> None:
    crm, carol = application(http, READ, WRITE), person(http, WRITE)
    laptop = login_again(alice, FIREFOX)
    try_login(http, alice.email, "a wrong password")
    crm.send("POST", f"users/{alice.id}/unlock/")
    carol.send("POST", f"users/{alice.id}/unlock/")
    found = crm.get(f"users/{alice.id}/events/")
    assert list(found) == ["events", "next"]
    assert found["next"] is None
    by_carol, by_crm, failed, login, *_ = found["events"]
    assert list(login) == ["id", "at", "event", "ip", "device", "session_id", "reason", "actor_id", "client_id"]
    keys = ("event", "ip", "device", "session_id", "reason", "actor_id", "client_id")
    assert [tuple(event[key] for key in keys) for event in (by_carol, by_crm, login)] == [
        ("rate_limit.reset", "127.0.0.1", "Unknown device", None, "operator", carol.user_id, ""),
        ("rate_limit.reset", "127.0.0.1", "Unknown device", None, "application", None, "crm"),
        ("login.succeeded", "127.0.0.1", "Firefox on Linux", id_of(laptop), "", None, ""),
    ]
    assert (failed["event"], failed["actor_id"]) == ("login.failed", None)
    assert len(found["events"]) == AuditEvent.objects.filter(user_id=alice.id).count()


def test_pages_of_events_have_each_event_once(http: httpx.Client, alice: Person, bob: Person) -> None:
    for number in range(250):
        record(Event.EMAIL_VERIFIED, user_id=(alice.id, bob.id)[number % 5 == 0])
    crm, pages = application(http, READ), []
    before: str | None = ""
    while before is not None:
        page = crm.get(f"users/{alice.id}/events/{before and f'?before={before}'}")
        pages.append([event["id"] for event in page["events"]])
        before = page["next"]
        record(Event.EMAIL_VERIFIED, user_id=alice.id)  # what happens meanwhile moves no page
    assert [len(page) for page in pages] == [100, 100, 2]
    seen = [int(event_id) for page in pages for event_id in page]
    assert seen == sorted(set(seen), reverse=True)
    assert not AuditEvent.objects.filter(pk__in=seen).exclude(user_id=alice.id).exists()


def test_full_last_page_has_no_next(http: httpx.Client, alice: Person) -> None:
    for _ in range(100 - AuditEvent.objects.filter(user_id=alice.id).count()):
        record(Event.EMAIL_VERIFIED, user_id=alice.id)
    page = application(http, READ).get(f"users/{alice.id}/events/")
    assert (len(page["events"]), page["next"]) == (100, None)


@pytest.mark.parametrize(
    "query", ["before=", "before=x", "before=-1", "before=1&before=2", f"before={'9' * 19}", "a=1"]
)
def test_malformed_position_is_refused(http: httpx.Client, alice: Person, query: str) -> None:
    answer = application(http, READ).send("GET", f"users/{alice.id}/events/?{query}")
    assert_problem(answer, 400, "invalid", ["query" if query == "a=1" else "before"])


def test_page_of_events_takes_the_same_statements_for_many(
    http: httpx.Client, alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    crm = application(http, READ)
    few = len(statements(lambda: crm.get(f"users/{alice.id}/events/")))
    for _ in range(150):
        record(Event.EMAIL_VERIFIED, user_id=alice.id)
    assert len(statements(lambda: crm.get(f"users/{alice.id}/events/"))) == few == 3
