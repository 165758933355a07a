"""Reset of second factors by an operator, and what the admin area shows of them."""

from collections.abc import Callable
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.admin.factor_actions import NOBODY
from latchkey.audit.models import AuditEvent
from latchkey.core import clock as clocks
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.passkeys.models import Passkey
from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.admin_pages import USERS, Browser, run_action, shown_messages, sign_in, user_page
from tests.support.second_factors import App, set_up_app

Staff = Callable[..., Browser]
REASON = "Lost the phone; knew the customer number"
HELPDESK = ("view_user", "reset_second_factor")


@pytest.fixture
def app(alice: Person) -> App:
    """The authenticator app of Alice, and a passkey beside it."""
    found = set_up_app(alice.email)
    Passkey.objects.create(
        user_id=alice.id,
        credential_id=b"credential",
        public_key=b"key",
        rp_id="127.0.0.1",
        sign_count=0,
        aaguid="00000000-0000-0000-0000-000000000000",
        backup_eligible=False,
        backed_up=False,
        user_verified=True,
        name="<b>Laptop</b>",
    )
    User.objects.filter(pk=alice.id).update(second_factors=2)
    return found


def reset(browser: Browser, *ids: int, **typed: Any) -> Any:
    return run_action(browser, USERS, "reset_second_factor", *ids, **{"reason": REASON, **typed})


def events_of(person: Person) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = person.http.get("/api/me/events/", headers=person.bearer()).json()["events"]
    return events


def factors() -> tuple[int, ...]:
    return TotpSecret.objects.count(), Passkey.objects.count(), RecoveryCode.objects.count()


@pytest.mark.ledger("ASVS-6.5.6", "ASVS-7.4.3")
def test_admin_reset_deletes_all_factors_and_ends_all_sessions(app: App, admin: Browser, alice: Person) -> None:
    answer = try_login(alice.http)
    pair = alice.http.post(
        "/api/login/second-factor/", json={"ticket": answer.json()["ticket"], "code": app.code()}
    ).json()
    assert alice.me(pair["access_token"]).status_code == 200
    done = reset(admin, alice.id)
    assert shown_messages(done) == ["Reset the second factor: 1 of 1 selected users."]
    assert factors() == (0, 0, 0)
    assert User.objects.get(pk=alice.id).second_factors == 0
    assert_problem(alice.me(pair["access_token"]), 401, "invalid_token")
    assert alice.try_refresh(pair["refresh_token"]).status_code == 401
    assert alice.login().me().status_code == 200
    (own,) = [event for event in events_of(alice) if event["event"] == "factor.reset"]
    assert (own["reason"], own["ip"], own["device"]) == ("", None, "")
    event = AuditEvent.objects.get(name="factor.reset")
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    assert (event.user_id, event.actor_id, event.detail, event.ip) == (alice.id, boss.pk, REASON, "127.0.0.1")


@pytest.mark.ledger("ASVS-6.4.4")
def test_admin_reset_asks_for_a_reason_on_a_page_that_names_whom(app: App, admin: Browser, alice: Person) -> None:
    page = reset(admin, alice.id, post=None, reason=None).text
    assert f"Reset the second factor of {alice.email}?" in page
    assert 'name="reason"' in page
    assert "This field is required" not in page
    for reason, sentence in (
        ("", "This field is required."),
        ("  \t ", "This field is required."),
        ("x" * 65, "at most 64 characters"),
        ("asked by alice@example.com", "must not contain an e-mail address"),
        ("lost\u202egnihton", "letters, digits and punctuation alone"),
    ):
        answer = reset(admin, alice.id, reason=reason)
        assert sentence in answer.text, reason
        assert factors() == (1, 1, 10)
    assert not AuditEvent.objects.filter(name="factor.reset").exists()
    reset(admin, alice.id, reason=f"  {'x' * 30} \n {'y' * 30} ")
    assert AuditEvent.objects.get(name="factor.reset").detail == f"{'x' * 30} {'y' * 30}"


def test_admin_button_on_the_page_of_a_user_resets_and_returns_there(app: App, admin: Browser, alice: Person) -> None:
    assert "Reset second factor" in admin.get(user_page(alice.id)).text
    answer = reset(admin, alice.id, back="1")
    assert answer.redirect_chain == [(user_page(alice.id), 302)]
    assert "Reset second factor" not in answer.text
    assert "None: the password signs in alone." in answer.text


def test_admin_reset_needs_its_own_permission(app: App, alice: Person, staff: Staff) -> None:
    clerk = staff("view_user", "change_user", "delete_user")
    assert "Reset second factor" not in clerk.get(user_page(alice.id)).text
    assert "reset_second_factor" not in clerk.get(USERS).text
    reset(clerk, alice.id)
    assert factors() == (1, 1, 10)


def test_admin_reset_by_staff_with_the_permission_needs_no_other(app: App, alice: Person, staff: Staff) -> None:
    clerk = staff(*HELPDESK)
    page = clerk.get(user_page(alice.id)).text
    assert "Reset second factor" in page
    assert "Deactivate" not in page
    assert shown_messages(reset(clerk, alice.id)) == ["Reset the second factor: 1 of 1 selected users."]
    assert factors() == (0, 0, 0)


def test_admin_staff_cannot_reset_staff_and_nobody_resets_their_own(
    app: App, admin: Browser, alice: Person, staff: Staff
) -> None:
    clerk = staff(*HELPDESK)
    set_up_app(SUPERUSER_EMAIL)
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    User.objects.filter(pk=alice.id).update(is_staff=True)
    for user_id in (boss.pk, alice.id):
        assert shown_messages(reset(clerk, user_id)) == [NOBODY]
        assert "Reset second factor" not in clerk.get(user_page(user_id)).text
    assert factors() == (2, 1, 20)
    deputy = User.objects.create_superuser("deputy@example.com", PASSWORD)
    browser = sign_in(deputy.email)
    assert shown_messages(reset(browser, boss.pk, alice.id)) == ["Reset the second factor: 2 of 2 selected users."]
    assert factors() == (0, 0, 0)


def test_admin_superuser_does_not_reset_their_own_factor_by_selecting_all(
    app: App, admin: Browser, alice: Person
) -> None:
    own = set_up_app(SUPERUSER_EMAIL)
    browser = sign_in(SUPERUSER_EMAIL)
    browser.post("/admin/login/second-factor/", {"code": own.code()})
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    assert "Reset second factor" not in browser.get(user_page(boss.pk)).text
    assert shown_messages(reset(browser, boss.pk)) == [NOBODY]
    page = reset(browser, boss.pk, alice.id, post=None).text
    assert "1 of the selected users is left out" in page
    assert shown_messages(reset(browser, boss.pk, alice.id)) == ["Reset the second factor: 1 of 2 selected users."]
    assert User.objects.get(pk=boss.pk).second_factors == 1
    assert factors() == (1, 0, 10)


def test_admin_reset_of_users_without_a_factor_says_so(admin: Browser, alice: Person) -> None:
    assert shown_messages(reset(admin, alice.id)) == [NOBODY]
    assert alice.me().status_code == 200
    assert Session.objects.count() == 1


def test_admin_page_of_a_user_shows_factors_and_no_secret(
    app: App, admin: Browser, alice: Person, staff: Staff
) -> None:
    TotpSecret.objects.update(last_used_at=clocks.now())
    for browser in (admin, staff("view_user")):
        page = browser.get(user_page(alice.id)).text
        for shown in ("Authenticator app", "Passkey", "&lt;b&gt;Laptop&lt;/b&gt;", "Recovery codes left: 10"):
            assert shown in page
        assert app.secret not in page
        assert not any(code in page for code in app.recovery_codes)


def test_admin_page_of_a_user_with_a_pending_app_shows_no_factor(admin: Browser, alice: Person) -> None:
    TotpSecret.objects.create(user_id=alice.id, secret=b"")
    assert "None: the password signs in alone." in admin.get(user_page(alice.id)).text
    User.objects.filter(pk=alice.id).update(second_factors=1)  # as if there were a passkey beside it
    assert "Authenticator app" not in admin.get(user_page(alice.id)).text


@pytest.mark.usefixtures("app")
def test_admin_list_of_users_shows_and_filters_by_second_factor(admin: Browser, alice: Person, bob: Person) -> None:
    without = {bob.email, SUPERUSER_EMAIL}
    for query, expected in (("yes", {alice.email}), ("no", without), ("x", {alice.email, *without})):
        page = admin.get(f"{USERS}?second_factor={query}", follow=True)
        assert {user.email for user in page.context["cl"].result_list} == expected
