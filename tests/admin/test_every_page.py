"""Every page of the admin that a superuser can reach by links."""

import re
from base64 import b64encode, urlsafe_b64encode
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person
from tests.support.admin_pages import (
    EVENTS,
    MAILS,
    SESSIONS,
    SETTINGS,
    USERS,
    Browser,
    run_action,
    save_settings,
    user_page,
)

MAX_PAGES = 400
"""A bound on the crawl; the admin of a few rows has fewer pages."""


def pages(browser: Browser) -> dict[str, str]:
    """Return the text of every page that links lead to from the index.

    Paths have no query, as queries only sort and filter.
    """
    found: dict[str, str] = {}
    waiting = ["/admin/"]
    while waiting:
        path = waiting.pop()
        if path in found or not path.startswith("/admin/") or "logout" in path:
            continue
        answer = browser.get(path, follow=True)
        assert answer.status_code == 200, path
        found[path] = answer.text
        assert len(found) < MAX_PAGES
        links = re.findall(r'href="([^"#]+)"', answer.text)
        waiting += [urlsplit(urljoin(path, unescape(link))).path for link in links]
    return found


def secrets_of(person: Person) -> dict[str, str]:
    user, session = User.objects.get(pk=person.id), Session.objects.get(user=person.id)
    _, _, _, parameters, salt, hashed = user.password.split("$")
    stored = {"salt": salt, "hash": hashed, "parameters": parameters, "selector": str(session.selector)}
    for name in ("digest", "next_digest"):
        digest = bytes(getattr(session, name))
        stored |= {f"{name} in hex": digest.hex(), f"{name} in base64": b64encode(digest).decode()}
        stored |= {f"{name} for URLs": urlsafe_b64encode(digest).decode().rstrip("=")}
    tokens = {"access token": person.access_token, "refresh token": person.refresh_token, "spent": person.spent[0]}
    return stored | tokens | {"password": PASSWORD, "secret key": settings.SECRET_KEY}


@pytest.mark.slow
@pytest.mark.hashing
@pytest.mark.ledger("DJ-ADM-1")
def test_admin_pages_show_no_secret(admin: Browser, alice: Person) -> None:
    alice.refresh()
    save_settings(admin, SESSIONS_PER_USER="9")
    run_action(admin, USERS, "reactivate_users", alice.id)
    session, link = Session.objects.get(user=alice.id), "https://auth.example.com/reset#a-secret-token"
    mail = enqueue(MailKind.PASSWORD_RESET, alice.email, {"link": link}, alice.id)
    found = pages(admin)
    expected = {"/admin/", USERS, f"{USERS}add/", SESSIONS, SETTINGS, "/admin/auth/group/", "/admin/password_change/"}
    expected |= {user_page(alice.id, page) for page in ("change", "history", "delete", "password")}
    expected |= {f"{SESSIONS}{session.pk}/{page}/" for page in ("change", "delete")}
    expected |= {EVENTS, MAILS, f"{EVENTS}{AuditEvent.objects.latest('pk').pk}/change/", f"{MAILS}{mail.pk}/change/"}
    assert expected <= set(found)
    assert alice.email in found[user_page(alice.id)]
    contents = {
        "encrypted_context": bytes(mail.encrypted_context).decode(),
        "link": link,
        "token of the link": "a-secret-token",
    }
    for name, secret in (secrets_of(alice) | contents).items():
        assert [path for path, text in found.items() if secret.lower() in text.lower()] == [], name


LOOKUPS = [
    (USERS, "password__startswith", "argon2"),
    (USERS, "password", "x"),
    (USERS, "sessions__selector__gte", "0"),
    (USERS, "sessions__digest", "x"),
    (SESSIONS, "user__password__startswith", "argon2"),
    (SESSIONS, "digest", "x"),
    (SESSIONS, "next_digest__isnull", "0"),
    (SESSIONS, "selector__gte", "0"),
    (EVENTS, "user_agent__startswith", "x"),
    (EVENTS, "id__gte", "1"),
    (MAILS, "encrypted_context", "x"),
    (MAILS, "to_address__startswith", "alice"),
]


ALLOWED = {
    USERS: ("is_active__exact", "1"),
    SESSIONS: ("user__id__exact", "1"),
    EVENTS: ("event", "login.failed"),
    MAILS: ("state", "sent"),
}


@pytest.mark.hashing
@pytest.mark.ledger("DJ-ADM-2")
@pytest.mark.parametrize(("page", "lookup", "value"), LOOKUPS)
def test_admin_lists_reject_lookups_on_secret_fields(
    admin: Browser, alice: Person, page: str, lookup: str, value: str
) -> None:
    name, value_of_it = ALLOWED[page]
    assert admin.get(page, {name: value_of_it}).status_code == 200
    answer: Any = admin.get(page, {lookup: value})
    assert answer.status_code in (302, 400), answer.status_code
    if answer.status_code == 302:
        assert answer.url.endswith("?e=1")


@pytest.mark.hashing
@pytest.mark.ledger("DJ-ADM-2")
def test_admin_search_does_not_match_secret_fields(admin: Browser, alice: Person) -> None:
    secrets = secrets_of(alice.refresh())
    for page in (USERS, SESSIONS):
        assert len(admin.get(page, {"q": "alice@"}).context["cl"].result_list) == 1
        for secret in ("argon2", secrets["hash"][:6], secrets["selector"], alice.refresh_token):
            assert len(admin.get(page, {"q": secret}).context["cl"].result_list) == 0
