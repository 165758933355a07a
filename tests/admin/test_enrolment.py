"""Enrolment at the sign-in to the admin area, where the policy demands a second factor that the operator has not."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from time_machine import Traveller

from latchkey.accounts.models import User
from latchkey.admin.session_store import SessionStore
from latchkey.admin.sign_in_pages import START_AGAIN
from latchkey.audit.models import AuditEvent
from latchkey.conf.policy import clear_cache
from latchkey.core import clock as clocks
from latchkey.factors import recovery_codes
from latchkey.factors.models import TotpSecret
from latchkey.factors.tickets import Ticket
from tests.factors.apps import code_at, wrong_code
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import SETTINGS, USERS, Browser, save_settings

SIGN_IN = "/admin/login/"
ENROLMENT = "/admin/login/enrolment/"
SECOND = "/admin/login/second-factor/"


@pytest.fixture
def required(clock: Traveller, admin: Browser, set_policy: Callable[..., None]) -> None:
    """The policy demands a second factor of operators; the superuser has none; the clock stands still."""
    set_policy(second_factor="required_for_staff")


def begin(target: str = "/admin/") -> Browser:
    browser = Browser()
    answer = browser.post(SIGN_IN, {"username": SUPERUSER_EMAIL, "password": PASSWORD, "next": target})
    assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, ENROLMENT)
    return browser


def shown_secret(browser: Browser) -> str:
    """Return the secret that the page shows in groups of four."""
    page = browser.get(ENROLMENT)
    assert page.status_code == 200
    secret = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page.text))
    assert f"secret={secret}" in page.text
    assert "<svg" in page.text
    return secret


def is_signed_in(browser: Browser) -> bool:
    return bool(browser.get("/admin/").status_code == 200)


@pytest.mark.usefixtures("required")
def test_admin_operator_without_a_factor_sets_one_up_and_is_then_signed_in() -> None:
    browser = begin(USERS)
    assert not is_signed_in(browser)
    secret = shown_secret(browser)
    assert shown_secret(browser) == secret  # loading the page again changes nothing
    done = browser.post(ENROLMENT, {"code": code_at(secret, clocks.now()), "next": USERS})
    codes = re.findall(r"<li>([0-9A-Z]{5}-[0-9A-Z]{5})</li>", done.text)
    assert len(codes) == 10
    assert f'href="{USERS}"' in done.text
    assert "no-store" in done["Cache-Control"]
    assert is_signed_in(browser)
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    assert (boss.second_factors, recovery_codes.count(boss.pk), Ticket.objects.count()) == (1, 10, 0)
    names = AuditEvent.objects.filter(user_id=boss.pk).order_by("pk").values_list("name", flat=True)
    assert list(names)[-3:] == ["login.challenged", "factor.added", "admin_login.succeeded"]
    other = Browser()
    answer = other.post(SIGN_IN, {"username": SUPERUSER_EMAIL, "password": PASSWORD})
    assert urlsplit(answer["Location"]).path == SECOND
    assert other.post(SECOND, {"recovery_code": codes[0]}).status_code == 302
    assert is_signed_in(other)


@pytest.mark.usefixtures("required")
def test_admin_enrolment_step_opens_no_other_page() -> None:
    browser = begin()
    for page in ("/admin/", USERS, SETTINGS, SECOND, "/admin/password_change/", "/admin/reauthenticate/"):
        answer = browser.get(page)
        assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, SIGN_IN), page


@pytest.mark.usefixtures("required")
def test_admin_enrolment_with_a_wrong_code_shows_the_same_secret_again() -> None:
    browser = begin()
    secret = shown_secret(browser)
    answer = browser.post(ENROLMENT, {"code": wrong_code(secret, clocks.now())})
    assert answer.status_code == 200
    assert "The code is wrong" in answer.text
    assert f"secret={secret}" in answer.text
    assert not is_signed_in(browser)
    assert TotpSecret.objects.get().confirmed_at is None
    assert browser.post(ENROLMENT, {"code": code_at(secret, clocks.now())}).status_code == 200
    assert is_signed_in(browser)


@pytest.mark.usefixtures("required")
def test_admin_enrolment_is_over_after_five_wrong_codes() -> None:
    browser = begin()
    secret = shown_secret(browser)
    for _ in range(5):
        browser.post(ENROLMENT, {"code": wrong_code(secret, clocks.now())})
    answer = browser.post(ENROLMENT, {"code": code_at(secret, clocks.now())}, follow=True)
    assert START_AGAIN in answer.text
    assert not is_signed_in(browser)
    assert User.objects.get(email=SUPERUSER_EMAIL).second_factors == 0


def test_admin_session_from_before_the_policy_has_to_sign_in_again(
    clock: Traveller, admin: Browser, set_policy: Callable[..., None]
) -> None:
    save_settings(admin, SECOND_FACTOR="required_for_staff")
    clear_cache()
    page = admin.get("/admin/", follow=True)
    assert urlsplit(page.redirect_chain[-1][0]).path == SIGN_IN
    assert "requires a second factor of its operators" in page.text
    assert not is_signed_in(admin)
    assert "requires a second factor" not in Browser().get(SIGN_IN).text


@pytest.mark.ledger("ASVS-6.3.3", "ASVS-8.4.2")
@pytest.mark.parametrize(("policy", "asks"), [("optional", False), ("off", False), ("required", True)])
def test_admin_policy_decides_whether_an_operator_has_to_enrol(
    admin: Browser, set_policy: Callable[..., None], policy: str, asks: bool
) -> None:
    set_policy(second_factor=policy)
    browser = Browser()
    answer = browser.post(SIGN_IN, {"username": SUPERUSER_EMAIL, "password": PASSWORD})
    assert (urlsplit(answer["Location"]).path == ENROLMENT) is asks
    assert is_signed_in(browser) is not asks


@pytest.mark.usefixtures("required")
def test_admin_person_who_is_not_staff_is_not_led_to_an_enrolment(alice: Person) -> None:
    answer = Browser().post(SIGN_IN, {"username": alice.email, "password": alice.password})
    assert answer.status_code == 200
    assert "No active staff account matches" in answer.text
    assert Ticket.objects.count() == 0


@pytest.mark.usefixtures("required")
def test_admin_enrolment_page_of_another_browser_shows_nothing(clock: Traveller) -> None:
    begin()
    assert Browser().get(ENROLMENT).status_code == 302
    clock.shift(timedelta(minutes=5))
    assert begin().get(ENROLMENT).status_code == 200


@pytest.mark.usefixtures("required")
def test_admin_database_contains_no_secret_of_an_enrolment(admin: Browser) -> None:
    secret = shown_secret(begin())
    rows = [str(SessionStore().decode(data)) for data in Session.objects.values_list("session_data", flat=True)]
    assert any("sign_in_step" in row for row in rows)
    assert not any(secret in row or "otpauth" in row for row in rows)
