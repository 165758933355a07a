"""Pages of the admin escape text that users wrote, and actions do only what their form says."""

import re

import httpx
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db.models import URLField

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.admin_pages import EVENTS, MAILS, SESSIONS, USERS, Browser, run_action, shown_messages, user_page


@pytest.mark.ledger("ASVS-1.2.1")
def test_admin_pages_escape_text_from_users_and_requests(admin: Browser, http: httpx.Client) -> None:
    markup = "<img src=x onerror=alert(1)>'\"&"
    agent = httpx.Client(transport=http._transport, base_url=http.base_url, headers={"User-Agent": markup})
    eve = Person(agent, "e'v&e{{7*7}}@example.com").register().login()
    agent.put("/api/me/", json={"username": markup}, headers=eve.bearer())
    refused = agent.post("/api/register/", json={"email": "<img/onerror=x>@example.com", "password": PASSWORD})
    assert refused.status_code == 400
    assert User.objects.get(pk=eve.id).username == markup
    event = AuditEvent.objects.get(name="login.succeeded", user_id=eve.id)
    pages = (f"{SESSIONS}{Session.objects.get().pk}/change/", f"{EVENTS}{event.pk}/change/", USERS, user_page(eve.id))
    for page in pages:
        text = admin.get(page).text
        assert "onerror=alert(1)" in text, page
        assert "<img src=x" not in text, page
        assert "{{7*7}}" in text, page
    searched = admin.get(SESSIONS, {"q": f'"{markup}'}).text
    assert "onerror=alert(1)" in searched
    assert "<img src=x" not in searched


@pytest.mark.ledger("REG-DJANGO-05")
def test_admin_pages_render_no_user_text_as_a_link(admin: Browser, alice: Person) -> None:
    assert not [field for model in (User, Session) for field in model._meta.fields if isinstance(field, URLField)]
    alice.http.put("/api/me/", json={"username": "javascript:alert(1)"}, headers=alice.bearer())
    for page in (USERS, user_page(alice.id)):
        text = admin.get(page).text
        assert "javascript:alert(1)" in text
        assert not re.search(r'(href|src|action)="\s*javascript:', text)


@pytest.mark.slow
@pytest.mark.ledger("REG-DJANGO-04", "REG-DJANGO-19", "ASVS-1.4.2")
def test_admin_lists_ignore_forged_formsets_and_invalid_query_numbers(admin: Browser, alice: Person) -> None:
    before = list(User.objects.values())
    forged = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "form-0-email": "x@example.com", "_save": "Save"}
    forged |= {"form-0-id": str(alice.id), "sessions-TOTAL_FORMS": "1", "sessions-INITIAL_FORMS": "1"}
    for page in (USERS, SESSIONS, EVENTS, MAILS):
        assert admin.post(page, forged, follow=True).status_code in (200, 403)
        for number in ("1e400", "-1", str(2**63), "9" * 5000, "0", "x"):
            for key in ("p", "all", "id__exact", "o", "page_size"):
                assert admin.get(page, {key: number}, follow=True).status_code in (200, 400, 404), (page, key, number)
    assert list(User.objects.values()) == before
    assert Session.objects.count() == 1


@pytest.mark.ledger("ASVS-7.4.5")
def test_admin_end_sessions_action_applies_to_all_users_when_selected_across_pages(
    admin: Browser, alice: Person, bob: Person
) -> None:
    answer = run_action(admin, USERS, "end_sessions", alice.id, select_across="1")
    assert shown_messages(answer) == ["Ended all sessions: 3 of 3 selected users."]
    assert [person.try_refresh().status_code for person in (alice, bob)] == [401, 401]
    assert [person.me().status_code for person in (alice, bob)] == [401, 401]
    log_entries = LogEntry.objects.values_list("object_id", "change_message")
    assert {(str(alice.id), "Ended all sessions."), (str(bob.id), "Ended all sessions.")} <= set(log_entries)


@pytest.mark.ledger("ASVS-7.4.4")
def test_logout_is_on_every_admin_page_and_in_the_api_documentation(admin: Browser, http: httpx.Client) -> None:
    for page in ("/admin/", USERS, SESSIONS, "/admin/constance/config/", user_page(get_user_model().objects.get().pk)):
        assert 'action="/admin/logout/"' in admin.get(page).text, page
    assert "/api/logout/" in http.get("/api-doc/schema/", headers={"Accept": "application/json"}).json()["paths"]
    assert http.get("/api/").json()["logout"].endswith("/api/logout/")
    admin.post("/admin/logout/")
    assert admin.get("/admin/").status_code == 302


@pytest.mark.ledger("REG-DJANGO-03")
@pytest.mark.parametrize("path", ["/i18n/setlang/", "/setlang/", "/set_language/"])
def test_language_cannot_be_set_by_a_request(http: httpx.Client, path: str) -> None:
    assert_problem(http.post(path, data={"language": "x" * 8000}), 404, "not_found")
