"""Query strings of admin pages: none makes a page fail, whatever its names and values."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.contrib.auth.models import Group
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latchkey.admin.query_strings import REJECTED
from latchkey.applications.models import Application
from latchkey.audit.models import AuditEvent
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue
from latchkey.sessions.models import Session
from tests.fixtures.database import unreachable_database
from tests.people import Person
from tests.support.admin_pages import (
    EVENTS,
    MAILS,
    SESSIONS,
    SETTINGS,
    USERS,
    Browser,
    run_action,
    shown_messages,
    user_page,
)

GROUPS, APPLICATIONS, SCOPES = "/admin/auth/group/", "/admin/latchkey/application/", "/admin/latchkey/scope/"
LISTS = (USERS, SESSIONS, EVENTS, MAILS, GROUPS, APPLICATIONS, SCOPES)
PARAMETERS = (
    *("q", "o", "p", "e", "all", "_to_field", "_popup", "_changelist_filters", "_facets", "event", "hours", "state"),
    *("created_at__year", "created_at__gte", "created_at__lt", "created_at__isnull", "created_at__year__gte"),
    *("created_at__date", "is_active__exact", "is_staff__exact", "is_superuser__in", "email_verified_at__isempty"),
    *("pk", "id__in", "id__exact", "user__id__exact", "groups__id__exact", "username__regex", "name__iregex"),
    *(
        "email__contains",
        "username__range",
        "no_such",
        "no__such__lookup",
        "__",
        "created_at__",
        "period",
        "next",
        "at",
    ),
)
VALUES = (
    *("0", "-1", "10000", "9" * 20, "9" * 5000, "\0", "a\0b", "x", "", "1.5", "1e400", "nan", "-1.-2.-99", "[", "("),
    *("\U0001f600", "0001-01-01", "9999-12-31 23:59:59-12:00", "None", "true", "1,2", ",", "%", "last", "password"),
)

any_query = st.lists(
    st.tuples(
        st.sampled_from(PARAMETERS) | st.text(max_size=30),
        st.sampled_from(VALUES) | st.text(max_size=30) | st.integers().map(str),
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture
def rows(alice: Person) -> None:
    enqueue(MailKind.PASSWORD_CHANGED, alice.email, {}, alice.id)
    Group.objects.create(name="operators")
    Application.objects.create(client_id="payments")


def assert_usable(admin: Browser, path: str, query: str) -> None:
    """Assert that the page is shown, or that it leads to itself without the query."""
    answer: Any = admin.get(f"{path}?{query}")
    if answer.status_code == 302:
        assert answer["Location"] in (f"{path}?e=1", "/admin/", "/admin/login/", "../../"), (path, query)
        answer = admin.get(answer["Location"], follow=True)
    assert answer.status_code == 200, (path, query)
    assert "Database error" not in answer.text


@pytest.mark.slow
@pytest.mark.parametrize("page", LISTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=any_query)
def test_admin_list_with_any_query_string_is_shown(
    admin: Browser, rows: None, page: str, query: list[tuple[str, str]]
) -> None:
    assert_usable(admin, page, urlencode(query, errors="surrogatepass"))


@pytest.mark.slow
@pytest.mark.parametrize("page", LISTS)
def test_admin_list_with_each_parameter_and_a_bad_value_is_shown(admin: Browser, rows: None, page: str) -> None:
    for name in PARAMETERS:
        for value in ("10000", "9" * 20, "\0", "[", ""):
            assert_usable(admin, page, urlencode({name: value}))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["_to_field", "_popup", "_changelist_filters", "p", "q", "period", "next", "id__in", "e"]
)
def test_other_admin_pages_with_a_bad_query_string_are_shown(
    admin: Browser, alice: Person, rows: None, name: str
) -> None:
    event, session = AuditEvent.objects.latest("pk").pk, Session.objects.get(user=alice.id).pk
    pages = ["/admin/", "/admin/latchkey/", SETTINGS, f"{SETTINGS}history/", f"{USERS}add/", "/admin/password_change/"]
    pages += [user_page(alice.id, page) for page in ("change", "history", "delete", "password")]
    pages += [f"{EVENTS}{event}/change/", f"{SESSIONS}{session}/delete/", "/admin/reauthenticate/", "/admin/login/"]
    for page in pages:
        for value in ("10000", "\0", "[", "", "9" * 20):
            assert_usable(admin, page, urlencode({name: value}))


@pytest.mark.parametrize(
    "query",
    [
        *("created_at__year=10000", "created_at__year=0", "created_at__year=-1", "created_at__year=10000&e=1"),
        *(
            "username__regex=[",
            "no_such=1",
            "_to_field=password",
            "created_at__gte=x&e=1",
        ),
    ],
)
def test_admin_user_list_with_an_unusable_query_is_the_list_with_a_message(
    admin: Browser, alice: Person, query: str
) -> None:
    answer: Any = admin.get(f"{USERS}?{query}", follow=True)
    assert answer.redirect_chain == [(f"{USERS}?e=1", 302)]
    assert shown_messages(answer) == [REJECTED]
    assert alice.email in answer.text
    assert shown_messages(admin.get(USERS)) == []


def test_admin_user_list_with_a_usable_query_is_filtered(admin: Browser, alice: Person) -> None:
    for query in ("created_at__year=2000", "is_active__exact=0", "q=nobody"):
        answer: Any = admin.get(f"{USERS}?{query}")
        assert (answer.status_code, len(answer.context["cl"].result_list)) == (200, 0)
    answer = admin.get(f"{USERS}?is_active__exact=1")
    assert len(answer.context["cl"].result_list) == 2


def test_admin_action_with_an_unusable_query_changes_nothing(admin: Browser, alice: Person) -> None:
    for query in ("created_at__year=10000", "no_such=1", "username__regex=["):
        answer = run_action(admin, f"{USERS}?{query}", "deactivate_users", alice.id)
        assert shown_messages(answer) == [REJECTED]
    assert alice.me().status_code == 200
    assert "1 of 1" in shown_messages(run_action(admin, f"{USERS}?is_active__exact=1", "deactivate_users", alice.id))[0]


@pytest.mark.parametrize("selected", ["abc", "1.5", "", "\0", "9" * 30, "\U0001f600"])
def test_admin_form_with_an_unusable_id_changes_nothing(admin: Browser, alice: Person, selected: str) -> None:
    for page, action in ((USERS, "deactivate_users"), (USERS, "delete_selected"), (GROUPS, "delete_selected")):
        answer: Any = admin.post(page, {"action": action, "_selected_action": [selected], "post": "yes"}, follow=True)
        assert answer.status_code == 200
    answer = admin.post(f"{GROUPS}add/", {"name": "operators", "permissions": [selected]}, follow=True)
    assert answer.status_code == 200
    assert not Group.objects.exists()
    assert alice.me().status_code == 200


def test_admin_list_with_a_query_while_the_database_is_down_is_503(admin: Browser, http: httpx.Client) -> None:
    admin.raise_request_exception = False
    with unreachable_database():
        assert admin.get(f"{USERS}?created_at__year=2000").status_code == 503


def test_admin_page_that_does_not_exist_is_404_with_any_query(admin: Browser) -> None:
    for page in (f"{USERS}99999999/delete/", "/admin/no/such/page/", "/admin/search/"):
        assert admin.get(f"{page}?created_at__year=10000").status_code in (302, 404)
    assert admin.get("/admin/search/?s=x").status_code == 404
