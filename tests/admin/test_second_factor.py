"""Second factor in the admin area: at sign-in and at reauthentication; a password alone opens nothing."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session as BrowserSession
from time_machine import Traveller

from latchkey.accounts.models import User
from latchkey.admin.reauthentication import MAX_AGE_SECONDS, NOT_SAVED
from latchkey.admin.session_store import SessionStore
from latchkey.admin.sign_in_pages import START_AGAIN
from latchkey.audit.models import AuditEvent
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.factors.tickets import LIFETIME, MAX_ATTEMPTS, Ticket
from latchkey.sign_in.browser_session import ENTRY
from latchkey.sign_in.browser_steps import ENCRYPTION
from latchkey.sign_in.browser_steps import ENTRY as STEP
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.outbox import last_code_mail
from tests.people import PASSWORD, Person
from tests.support.admin_pages import USERS, Browser, run_action, save_user, shown_messages, user_page
from tests.support.second_factors import App, set_up_app

SIGN_IN = "/admin/login/"
SECOND = "/admin/login/second-factor/"
REAUTHENTICATE = "/admin/reauthenticate/"
NEW_PASSWORD = "a new long password"


@pytest.fixture
def app(clock: Traveller, admin: Browser) -> App:
    """The authenticator app of the superuser, who is signed out by it; the clock stands still."""
    found = set_up_app(SUPERUSER_EMAIL)
    clock.shift(timedelta(seconds=60))
    return found


def begin(target: str = "", password: str = PASSWORD) -> Browser:
    """Return a browser in which the superuser has given the password."""
    browser = Browser()
    typed = {"username": SUPERUSER_EMAIL, "password": password} | ({"next": target} if target else {})
    answer = browser.post(SIGN_IN, typed)
    assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, SECOND)
    return browser


def sign_in(app: App, **given: str) -> Browser:
    browser = begin()
    assert browser.post(SECOND, given or {"code": app.code()}).status_code == 302
    return browser


def is_signed_in(browser: Browser) -> bool:
    answer = browser.get("/admin/")
    assert answer.status_code in (200, 302)
    return bool(answer.status_code == 200)


def events(*names: str) -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(name__in=names).order_by("pk").values_list("name", "detail"))


@pytest.mark.ledger("ASVS-6.3.4")
def test_admin_password_alone_opens_nothing_where_a_factor_is_set(app: App, admin: Browser) -> None:
    assert not is_signed_in(admin)  # the session from before the factor was set up
    browser = begin()
    assert not is_signed_in(browser)
    for page in (USERS, user_page(1), "/admin/password_change/", REAUTHENTICATE):
        for answer in (browser.get(page), browser.post(page, {"password": PASSWORD})):
            assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, SIGN_IN)
    assert events("admin_login.succeeded", "login.challenged")[1:] == [("login.challenged", "second_factor")]


def test_admin_sign_in_with_a_code_returns_to_the_wanted_page(app: App) -> None:
    browser = begin(USERS)
    page = browser.get(f"{SECOND}?next={USERS}")
    assert page.status_code == 200
    assert f'name="next" value="{USERS}"' in page.text
    answer = browser.post(SECOND, {"code": app.code(), "next": USERS})
    assert (answer.status_code, answer["Location"]) == (302, USERS)
    assert is_signed_in(browser)
    assert events("admin_login.succeeded")[1:] == [("admin_login.succeeded", "")]
    assert Ticket.objects.count() == 0


def test_admin_sign_in_page_hands_the_wanted_page_on(app: App) -> None:
    typed = {"username": SUPERUSER_EMAIL, "password": PASSWORD}
    for target, kept in ((USERS, USERS), ("//evil.example/admin/", "/admin/"), ("/api/", "/admin/"), ("", "/admin/")):
        answer = Browser().post(SIGN_IN, {**typed, "next": target})
        assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [kept]
        answer = begin().post(SECOND, {"code": "1", "next": target})
        assert f'name="next" value="{kept}"' in answer.text


def test_admin_code_may_be_typed_in_groups(app: App) -> None:
    code = app.code()
    assert is_signed_in(sign_in(app, code=f" {code[:3]} {code[3:]} "))


@pytest.mark.ledger("ASVS-6.5.1")
def test_admin_code_is_accepted_once(app: App) -> None:
    code = app.code()
    first, second = begin(), begin()
    assert first.post(SECOND, {"code": code}).status_code == 302
    answer = second.post(SECOND, {"code": code})
    assert answer.status_code == 200
    assert "used before" in answer.text
    assert not is_signed_in(second)


def test_admin_sign_in_with_a_recovery_code_uses_it_up(app: App) -> None:
    page = begin().get(f"{SECOND}?with=recovery_code&next=/admin/")
    assert 'name="recovery_code"' in page.text
    assert 'name="code"' not in page.text
    code = app.recovery_codes[0]
    page = sign_in(app, recovery_code=code.lower().replace("-", " ")).get("/admin/")
    assert page.status_code == 200
    assert "You used a recovery code. Codes left: 9." in page.text
    assert 'href="/account/security/"' in page.text
    answer = begin().post(SECOND, {"recovery_code": code})
    assert "not one of your recovery codes" in answer.text
    assert events("recovery_code.used") == [("recovery_code.used", "9 left")]


def test_admin_second_factor_page_offers_what_the_account_has(app: App) -> None:
    assert "?with=recovery_code&amp;next=" in begin().get(SECOND).text
    RecoveryCode.objects.all().delete()
    page = begin().get(SECOND).text
    assert "recovery" not in page
    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page


@pytest.mark.ledger("ASVS-6.6.3")
def test_admin_wrong_code_can_be_tried_again_five_times(app: App) -> None:
    browser = begin()
    for _ in range(MAX_ATTEMPTS):
        answer = browser.post(SECOND, {"code": app.wrong_code(), "next": USERS})
        assert answer.status_code == 200
        assert "The code is wrong" in answer.text
    assert events("factor.refused") == [("factor.refused", "totp")] * MAX_ATTEMPTS
    answer = browser.post(SECOND, {"code": app.code(), "next": USERS}, follow=True)
    assert answer.redirect_chain == [(f"{SIGN_IN}?next=%2Fadmin%2Flatchkey%2Fuser%2F", 302)]
    assert START_AGAIN in answer.text
    assert not is_signed_in(browser)
    assert browser.get(SECOND).status_code == 302  # the step is forgotten


def test_admin_guesses_at_codes_are_limited_and_leave_recovery_codes_usable(clock: Traveller, app: App) -> None:
    for _ in range(2):
        browser = begin()
        for _ in range(3):
            answer = browser.post(SECOND, {"code": app.wrong_code()})
    assert "Too many attempts. Try again in" in answer.text
    answer = begin().post(SECOND, {"code": app.code()})
    assert "Too many attempts" in answer.text
    assert is_signed_in(sign_in(app, recovery_code=app.recovery_codes[0]))


def test_admin_step_is_dead_after_five_minutes(clock: Traveller, app: App) -> None:
    browser = begin()
    clock.shift(LIFETIME)
    for answer in (browser.get(SECOND), browser.post(SECOND, {"code": app.code()})):
        assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, SIGN_IN)
    assert not is_signed_in(browser)


def test_admin_second_factor_page_without_a_password_leads_to_the_sign_in_page(app: App) -> None:
    for answer in (Browser().get(SECOND), Browser().post(SECOND, {"code": app.code()})):
        assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, SIGN_IN)


@pytest.mark.ledger("ASVS-7.2.4")
def test_admin_cookie_that_another_has_set_gets_neither_the_step_nor_the_session(app: App) -> None:
    """A planted cookie (session fixation) must not become that of a person who then gives the password."""
    planted = begin()
    cookie = planted.cookies["sessionid"].value
    typed = {"username": SUPERUSER_EMAIL, "password": PASSWORD}
    planted.post(SIGN_IN, typed)
    step = planted.cookies["sessionid"].value
    planted.post(SECOND, {"code": app.code()})
    assert len({cookie, step, planted.cookies["sessionid"].value}) == 3
    for old in (cookie, step):
        browser = Browser()
        browser.cookies["sessionid"] = old
        assert not is_signed_in(browser)
        assert browser.get(SECOND).status_code == 302


def test_admin_database_contains_no_ticket(app: App) -> None:
    browser = begin()
    rows = [SessionStore().decode(data) for data in BrowserSession.objects.values_list("session_data", flat=True)]
    stored = [row[STEP] for row in rows if STEP in row]
    assert len(stored) == 1
    assert stored[0].startswith("gAAAA")  # Fernet
    assert browser.get(SECOND).status_code == 200


def test_admin_page_does_not_go_on_with_a_sign_in_elsewhere(app: App) -> None:
    """A step on the account pages is not one in the admin area: who is not staff can begin it."""
    browser = begin()
    session = browser.session
    step = json.loads(ENCRYPTION.decrypt(session[STEP].encode()) or b"")
    session[STEP] = ENCRYPTION.encrypt(json.dumps(["account", *step[1:]]).encode()).decode()
    session.save()
    assert browser.get(SECOND).status_code == 302
    assert not is_signed_in(browser)


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False, "is_superuser": False}])
def test_admin_account_that_changes_before_the_code_is_not_let_in(
    app: App, admin: Browser, change: dict[str, Any]
) -> None:
    User.objects.create_superuser("deputy@example.com", PASSWORD)
    browser, boss = begin(), User.objects.get(email=SUPERUSER_EMAIL)
    for name, value in change.items():
        setattr(boss, name, value)
    boss.save()
    browser.post(SECOND, {"code": app.code()})
    assert not is_signed_in(browser)


@pytest.mark.ledger("ASVS-6.3.6", "ASVS-6.4.3")
def test_admin_password_reset_by_mail_leaves_the_factor_and_lets_nobody_in(app: App, admin: Browser) -> None:
    admin.post("/forgot-password/", {"email": SUPERUSER_EMAIL})
    token = last_code_mail(SUPERUSER_EMAIL).token
    sent = {"token": token, "new_password": NEW_PASSWORD, "new_password_repeat": NEW_PASSWORD}
    browser = Browser()
    assert browser.post("/reset-password/", sent).status_code == 200
    assert not is_signed_in(browser)
    assert TotpSecret.objects.count() == 1
    assert not is_signed_in(begin(password=NEW_PASSWORD))


def test_admin_session_of_a_password_alone_is_refused_once_the_account_has_a_factor(admin: Browser, app: App) -> None:
    """Setting a factor up ends all sessions; were one left over, it would not be let in either."""
    browser = sign_in(app)
    session = browser.session
    session[ENTRY] = [1, session[ENTRY][1]]
    session.save()
    assert not is_signed_in(browser)
    assert browser.get(SIGN_IN).status_code == 200  # no endless redirect


def age_proof(clock: Traveller) -> None:
    clock.shift(timedelta(seconds=MAX_AGE_SECONDS))


@pytest.mark.ledger("ASVS-7.5.1", "ASVS-7.5.3")
def test_admin_change_by_an_operator_with_a_factor_asks_for_the_factor(
    clock: Traveller, app: App, alice: Person
) -> None:
    browser = sign_in(app)
    assert "was changed" in shown_messages(save_user(browser, alice.id, username="A."))[-1]
    age_proof(clock)
    asked = save_user(browser, alice.id, username="B.")
    page = asked.redirect_chain[-1][0]
    assert page.startswith(REAUTHENTICATE)
    assert NOT_SAVED in asked.text
    assert 'name="code"' in asked.text
    assert 'name="password"' not in asked.text
    for given in ({"password": PASSWORD}, {"code": app.wrong_code()}, {"recovery_code": "AAAAA-AAAAA"}, {}):
        assert browser.post(page, given).status_code == 200
        assert save_user(browser, alice.id, username="B.").redirect_chain[-1][0].startswith(REAUTHENTICATE)
    key = browser.cookies["sessionid"].value
    answer = browser.post(page, {"code": app.code(), "next": user_page(alice.id)})
    assert (answer.status_code, answer["Location"]) == (302, user_page(alice.id))
    assert browser.cookies["sessionid"].value != key
    assert "was changed" in shown_messages(save_user(browser, alice.id, username="C."))[-1]
    assert [name for name, _ in events("step_up.failed", "step_up.succeeded", "factor.refused")] == [
        *("step_up.failed", "step_up.failed", "step_up.succeeded")
    ]


def test_admin_reauthentication_accepts_a_recovery_code_once(clock: Traveller, app: App, alice: Person) -> None:
    browser = sign_in(app)
    for accepted in (True, False):
        age_proof(clock)
        answer = browser.post(REAUTHENTICATE, {"recovery_code": app.recovery_codes[3]})
        assert (answer.status_code == 302) is accepted
        done = run_action(browser, USERS, "reset_rate_limits", alice.id)
        assert ("Unlocked: 1" in done.text) is accepted


def test_admin_code_of_the_sign_in_is_no_proof_later(clock: Traveller, app: App) -> None:
    code = app.code()
    browser = sign_in(app, code=code)
    assert "used before" in browser.post(REAUTHENTICATE, {"code": code}).text


def test_admin_reauthentication_limits_guesses_at_codes(clock: Traveller, app: App) -> None:
    browser = sign_in(app)
    age_proof(clock)
    for _ in range(6):
        answer = browser.post(REAUTHENTICATE, {"code": app.wrong_code()})
    assert "Too many attempts. Try again in" in answer.text
    assert browser.post(REAUTHENTICATE, {"code": app.code()}).status_code == 200  # is not compared either
    assert browser.post(REAUTHENTICATE, {"recovery_code": app.recovery_codes[0]}).status_code == 302


def test_admin_new_password_of_an_operator_with_a_factor_asks_for_the_factor_first(clock: Traveller, app: App) -> None:
    """Who stole the cookie and the password must not keep the session alive, nor change the password, with the two."""
    browser = sign_in(app)
    age_proof(clock)
    typed = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    page = "/admin/password_change/"
    assert browser.post(page, typed)["Location"].startswith(REAUTHENTICATE)
    assert browser.post(REAUTHENTICATE, {"code": app.code(), "next": page})["Location"] == page
    clock.shift(timedelta(seconds=MAX_AGE_SECONDS - 1))
    assert browser.post(page, typed)["Location"] == "/admin/password_change/done/"
    assert is_signed_in(browser)  # with what it had proved
    clock.shift(timedelta(seconds=1))
    assert browser.post(f"{USERS}add/", {})["Location"].startswith(REAUTHENTICATE)
