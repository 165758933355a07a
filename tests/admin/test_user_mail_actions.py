"""Admin actions about the mailbox of a user: send a password reset, mark an address as verified, correct an address."""

from collections.abc import Callable

import pytest

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from tests.outbox import last_mail, sent_mails
from tests.people import Person
from tests.problems import assert_problem
from tests.support.admin_pages import USERS, Browser, save_user, user_page


def run_user_action(browser: Browser, action: str, *people: Person) -> None:
    form = {"action": action, "_selected_action": [person.id for person in people]}
    assert browser.post(USERS, form).status_code == 302


@pytest.mark.ledger("CS-FP-6")
def test_admin_send_reset_action_mails_the_user_and_shows_no_secret(admin: Browser, alice: Person, bob: Person) -> None:
    User.objects.filter(pk=bob.id).update(is_active=False)
    run_user_action(admin, "send_reset_links", alice, bob)
    assert [(mail.kind, mail.to) for mail in sent_mails()] == [("password_reset", alice.email)]
    sent = last_mail(alice.email)
    for page in (USERS, user_page(alice.id), user_page(alice.id, "history")):
        text = admin.get(page).text
        assert not [secret for secret in (sent.token, sent.code) if secret in text]
    body = {"token": sent.token, "new_password": "seven purple trains to the sea"}
    assert alice.http.post("/api/password/reset/confirm/", json=body).status_code == 200
    (event,) = AuditEvent.objects.filter(name="password.reset_requested")
    assert (event.user_id, event.detail) == (alice.id, "operator")


def test_admin_verify_action_lets_an_unverified_user_sign_in(
    admin: Browser, alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="required")
    body = {"email": alice.email, "password": alice.password}
    assert_problem(alice.http.post("/api/login/", json=body), 403, "email_not_verified")
    run_user_action(admin, "verify", alice)
    assert alice.login().me().status_code == 200
    assert "verify" not in admin.get(user_page(alice.id)).context["user_actions"]


@pytest.mark.ledger("REG-ZITADEL-09")
def test_admin_email_edit_notifies_the_old_address_and_invalidates_reset_links(admin: Browser, alice: Person) -> None:
    run_user_action(admin, "verify", alice)
    alice.http.post("/api/password/reset/", json={"email": alice.email})
    save_user(admin, alice.id, username="Alice")
    assert len(sent_mails()) == 1  # the same address is no news
    save_user(admin, alice.id, email="Alice@New.example")
    assert alice.me().json()["email"] == "alice@new.example"
    assert last_mail(alice.email).kind == "email_changed"
    assert User.objects.get(pk=alice.id).email_verified_at is None
    body = {"token": sent_mails(alice.email)[0].token, "new_password": "seven purple trains to the sea"}
    assert_problem(alice.http.post("/api/password/reset/confirm/", json=body), 400, "invalid_code")
    assert AuditEvent.objects.filter(name="email.changed", user_id=alice.id).count() == 1


def test_admin_send_reset_action_requires_the_change_permission(staff: Callable[..., Browser], alice: Person) -> None:
    clerk = staff("view_user")
    form = {"action": "send_reset_links", "_selected_action": [alice.id]}
    clerk.post(USERS, form)
    assert sent_mails() == []


def test_events_and_mails_of_a_user_do_not_show_the_operators_ip(admin: Browser, alice: Person) -> None:
    admin.defaults |= {"REMOTE_ADDR": "192.0.2.66", "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
    run_user_action(admin, "send_reset_links", alice)
    save_user(admin, alice.id, email="alice@new.example")
    events = alice.http.get("/api/me/events/", headers=alice.bearer()).text
    assert "password.reset_requested" in events
    assert "email.changed" in events
    assert "192.0.2.66" not in events
    assert "192.0.2.66" not in str([mail.context for mail in sent_mails()])
