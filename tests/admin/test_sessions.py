"""The session pages of the admin: who is signed in where, and how to end a session."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from constance.models import Constance

from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import Person
from tests.support.admin_pages import (
    SESSIONS,
    SETTINGS,
    USERS,
    Browser,
    run_action,
    save_settings,
    shown_messages,
    sign_in,
    user_page,
)


def session_of(person: Person) -> Any:
    return Session.objects.get(user_id=person.id)


def listed(browser: Browser, **query: Any) -> set[str]:
    """Return the e-mail addresses of the users whose sessions the list shows."""
    return {session.user.email for session in browser.get(SESSIONS, query).context["cl"].result_list}


def session_page(person: Person, page: str = "change") -> str:
    return f"{SESSIONS}{session_of(person).pk}/{page}/"


def test_admin_session_list_shows_and_searches_sessions_by_user(admin: Browser, alice: Person, bob: Person) -> None:
    assert listed(admin) == {alice.email, bob.email}
    assert listed(admin, q=alice.email) == {alice.email}
    assert listed(admin, user__id__exact=bob.id) == {bob.email}
    page = admin.get(SESSIONS).text
    assert "Unknown device" in page
    assert "127.0.0.1" in page


def test_admin_session_list_hides_ended_and_expired_sessions(admin: Browser, alice: Person, bob: Person) -> None:
    run_action(admin, USERS, "end_sessions", alice.id)
    assert Session.objects.filter(user_id=alice.id).exists()
    assert listed(admin) == {bob.email}
    assert admin.get(session_page(alice)).status_code == 302
    with time_machine.travel(datetime.now(UTC) + timedelta(days=30, seconds=1), tick=False):
        assert listed(sign_in(SUPERUSER_EMAIL)) == set()


def test_admin_user_page_links_to_the_sessions_of_the_user(admin: Browser, alice: Person) -> None:
    assert f"{SESSIONS}?user__id__exact={alice.id}" in admin.get(user_page(alice.id)).text


def test_admin_end_session_signs_out_that_device_only_and_at_once(admin: Browser, alice: Person) -> None:
    page = session_page(alice, "delete")
    laptop = Person(alice.http, alice.email).login()
    assert "This signs the device out at once." in admin.get(page).text
    assert alice.me().status_code == 200
    assert shown_messages(admin.post(page, {"post": "yes"}, follow=True)) == ["The session has ended."]
    assert [alice.me().status_code, alice.try_refresh().status_code] == [401, 401]
    assert laptop.me().status_code == 200


def test_admin_delete_action_ends_several_sessions(admin: Browser, alice: Person, bob: Person) -> None:
    mallory = Person(alice.http, "mallory@example.com").register().login()
    answer = run_action(admin, SESSIONS, "delete_selected", session_of(alice).pk, session_of(mallory).pk, post="yes")
    assert shown_messages(answer) == ["Successfully deleted 2 sessions."]
    assert [person.me().status_code for person in (alice, mallory, bob)] == [401, 401, 200]


@pytest.mark.ledger("DJ-ADM-1")
def test_admin_does_not_add_or_change_sessions(admin: Browser, alice: Person) -> None:
    assert admin.get(f"{SESSIONS}add/").status_code == 403
    assert admin.post(session_page(alice), {"ip": "10.0.0.1"}).status_code == 403
    assert session_of(alice).ip == "127.0.0.1"
    index = admin.get("/admin/").text
    assert f"{SESSIONS}add/" not in index
    assert f"{USERS}add/" in index


def encodings(digest: bytes) -> Iterator[str]:
    yield from (digest.hex(), b64encode(digest).decode(), urlsafe_b64encode(digest).decode(), repr(digest)[2:-1])


@pytest.mark.ledger("DJ-ADM-1")
def test_admin_pages_show_no_token_and_no_digest(admin: Browser, alice: Person) -> None:
    save_settings(admin, SESSIONS_PER_USER="9")
    session = session_of(alice.refresh())
    secrets = [alice.access_token, alice.refresh_token, alice.refresh_token.replace("-", ""), *alice.spent]
    secrets += [str(session.selector), *encodings(bytes(session.digest)), *encodings(bytes(session.next_digest))]
    pages = ["/admin/", USERS, f"{USERS}add/", SESSIONS, SETTINGS, f"{SETTINGS}history/", "/admin/latchkey/"]
    pages += [user_page(alice.id, page) for page in ("change", "history", "delete", "password")]
    pages += [session_page(alice, page) for page in ("change", "history", "delete")]
    for page in pages:
        answer = admin.get(page)
        assert answer.status_code == 200, page
        assert [secret for secret in secrets if secret.lower() in answer.text.lower()] == []
    chosen = run_action(admin, SESSIONS, "delete_selected", session.pk)
    assert [secret for secret in secrets if secret.lower() in chosen.text.lower()] == []
    assert Constance.objects.exists()
