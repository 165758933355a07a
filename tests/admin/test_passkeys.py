"""Passkeys in the admin area: what passkeys.js sends at sign-in and at reauthentication."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from time_machine import Traveller

from latchkey.accounts.models import User
from latchkey.admin.reauthentication import MAX_AGE_SECONDS
from latchkey.audit.models import AuditEvent
from latchkey.factors.models import RecoveryCode
from latchkey.factors.tickets import MAX_ATTEMPTS
from tests.factors.apps import add_app
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.passkeys.requests import add
from tests.people import PASSWORD, Person
from tests.support.admin_pages import USERS, Browser, run_action
from tests.support.software_authenticator import BACKUP_ELIGIBLE, USER_PRESENT, SoftwareAuthenticator

ENROLMENT = "/admin/login/enrolment/"
SECOND = "/admin/login/second-factor/"
REAUTHENTICATE = "/admin/reauthenticate/"
NOT_ACCEPTED = "The passkey was not accepted."


@pytest.fixture
def boss(clock: Traveller, admin: Browser, http: httpx.Client) -> Person:
    """The superuser, signed in at the API; the clock stands still."""
    return Person(http, SUPERUSER_EMAIL).login()


@pytest.fixture
def phone(boss: Person) -> SoftwareAuthenticator:
    """The authenticator with the only passkey of the superuser."""
    made = SoftwareAuthenticator()
    add(boss, made)
    return made


def begin() -> Browser:
    browser = Browser()
    answer = browser.post("/admin/login/", {"username": SUPERUSER_EMAIL, "password": PASSWORD, "next": USERS})
    assert urlsplit(answer["Location"]).path == SECOND
    return browser


def press(browser: Browser, page: str, authenticator: SoftwareAuthenticator, **lies: Any) -> Any:
    """Press the button on the page, as passkeys.js handles it."""
    shown = browser.get(f"{page}?next={USERS}").text
    assert "latchkey/passkeys.js" in shown
    ((kind, options),) = re.findall(r'<form method="post" data-passkey="(\w+)" data-options="([^"]+)"', shown)
    asked = browser.post(options)
    assert asked.status_code == 200, asked.text
    begun = asked.json()
    answer = {"get": authenticator.get, "create": authenticator.create}[kind](begun["options"], **lies)
    return browser.post(page, {"passkey": json.dumps(answer), "ticket": begun["ticket"], "next": USERS})


def is_signed_in(browser: Browser) -> bool:
    return bool(browser.get("/admin/").status_code == 200)


def test_admin_sign_in_with_a_passkey_after_the_password(phone: SoftwareAuthenticator) -> None:
    browser = begin()
    page = browser.get(SECOND).text
    assert 'name="code"' not in page
    assert "?with=recovery_code&amp;next=" in page
    answer = press(browser, SECOND, phone)
    assert (answer.status_code, answer["Location"]) == (302, USERS)
    assert is_signed_in(browser)


def test_admin_passkey_that_does_not_verify_its_user_is_a_second_factor_after_the_password(
    phone: SoftwareAuthenticator,
) -> None:
    browser = begin()
    press(browser, SECOND, phone, flags=USER_PRESENT | BACKUP_ELIGIBLE)
    assert is_signed_in(browser)


@pytest.mark.parametrize("lie", [{"origin": "https://evil.example"}, {"challenge": "AAAA"}, {"rp_id": "evil.example"}])
def test_admin_passkey_that_cannot_be_verified_signs_nobody_in(phone: SoftwareAuthenticator, lie: Any) -> None:
    browser = begin()
    answer = press(browser, SECOND, phone, **lie)
    assert answer.status_code == 200
    assert NOT_ACCEPTED in answer.text
    assert not is_signed_in(browser)
    assert AuditEvent.objects.filter(name="factor.refused", detail__startswith="passkey").exists()
    press(browser, SECOND, phone)
    assert is_signed_in(browser)


def test_admin_passkey_of_another_signs_nobody_in(phone: SoftwareAuthenticator, alice: Person) -> None:
    foreign = SoftwareAuthenticator()
    add(alice, foreign)
    browser = begin()
    begun = browser.post(f"{SECOND}options/").json()
    foreign_answer = foreign.get({**begun["options"], "allowCredentials": []})
    answer = browser.post(SECOND, {"passkey": json.dumps(foreign_answer)})
    assert NOT_ACCEPTED in answer.text
    assert not is_signed_in(browser)


@pytest.mark.parametrize("sent", ["{", "[]", '{"id": 1}', "[" * 20_000, "x" * 40_001])
def test_admin_malformed_answer_of_an_authenticator_is_an_error_of_the_page(
    phone: SoftwareAuthenticator, sent: str
) -> None:
    browser = begin()
    answer = browser.post(SECOND, {"passkey": sent})
    assert answer.status_code == 200
    assert re.search(r'<p class="wrong" role="alert">[^<]{20,}</p>', answer.text)
    assert not is_signed_in(browser)


def test_admin_passkey_ticket_is_dead_after_five_answers(phone: SoftwareAuthenticator) -> None:
    browser = begin()
    for _ in range(MAX_ATTEMPTS):
        press(browser, SECOND, phone, challenge="AAAA")
    assert browser.post(f"{SECOND}options/").json()["code"] == "invalid_ticket"
    assert not is_signed_in(browser)


def test_admin_options_are_for_who_gave_the_password(phone: SoftwareAuthenticator) -> None:
    assert Browser().post(f"{SECOND}options/").json()["code"] == "invalid_ticket"
    assert Browser(enforce_csrf_checks=True).post(f"{SECOND}options/").json()["code"] == "csrf_failed"
    assert Browser().get(f"{SECOND}options/").status_code == 405


def test_admin_change_asks_for_the_passkey(clock: Traveller, phone: SoftwareAuthenticator, alice: Person) -> None:
    browser = begin()
    press(browser, SECOND, phone)
    clock.shift(timedelta(seconds=MAX_AGE_SECONDS))
    asked = run_action(browser, USERS, "reset_rate_limits", alice.id)
    assert asked.redirect_chain[-1][0].startswith(REAUTHENTICATE)
    answer = press(browser, REAUTHENTICATE, phone, challenge="AAAA")
    assert NOT_ACCEPTED in answer.text
    answer = press(browser, REAUTHENTICATE, phone)
    assert (answer.status_code, answer["Location"]) == (302, USERS)
    assert "Unlocked: 1" in run_action(browser, USERS, "reset_rate_limits", alice.id).text


def test_admin_pages_offer_each_factor_of_the_account(boss: Person, phone: SoftwareAuthenticator) -> None:
    page = begin().get(SECOND).text
    assert "Your passkey needs JavaScript" in page
    RecoveryCode.objects.all().delete()
    assert "?with=" not in begin().get(SECOND).text
    add_app(boss)
    page = begin().get(SECOND).text
    assert 'name="code"' in page
    assert "data-passkey" in page
    assert "Your passkey needs JavaScript" not in page


@pytest.fixture
def required(clock: Traveller, admin: Browser, set_policy: Callable[..., None]) -> Browser:
    """A browser in which the superuser, who has no factor and must have one, has given the password."""
    set_policy(second_factor="required_for_staff")
    browser = Browser()
    answer = browser.post("/admin/login/", {"username": SUPERUSER_EMAIL, "password": PASSWORD, "next": USERS})
    assert urlsplit(answer["Location"]).path == ENROLMENT
    return browser


def test_admin_operator_without_a_factor_sets_a_passkey_up_and_is_then_signed_in(required: Browser) -> None:
    made = SoftwareAuthenticator()
    page = press(required, ENROLMENT, made)
    assert page.status_code == 200
    assert len(re.findall(r"<li>[0-9A-Z]{5}-[0-9A-Z]{5}</li>", page.text)) == 10
    assert is_signed_in(required)
    browser = begin()
    press(browser, SECOND, made)
    assert is_signed_in(browser)


def test_admin_new_passkey_that_cannot_be_verified_signs_nobody_in(required: Browser) -> None:
    for lie in ({"origin": "https://evil.example"}, {"challenge": "AAAA"}, {"rp_id": "evil.example"}):
        page = press(required, ENROLMENT, SoftwareAuthenticator(), **lie)
        assert page.status_code == 200
        assert NOT_ACCEPTED in page.text
        assert 'name="code"' in page.text
    assert required.post(ENROLMENT, {"passkey": "{"}).status_code == 200
    assert not is_signed_in(required)
    assert User.objects.get(email=SUPERUSER_EMAIL).second_factors == 0


def test_admin_enrolment_without_a_domain_for_passkeys_offers_none(required: Browser, settings: Any) -> None:
    settings.PASSKEY_RP_ID = ""
    page = required.get(ENROLMENT).text
    assert "passkey" not in page
    assert 'name="code"' in page
