"""Passkeys on the account pages: what passkeys.js sends, sent by a software authenticator."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from tests.account_pages.visitor import CONFIRM, RECOVERY_CODES, SECURITY, SIGN_IN, Form, Page, Visitor
from tests.factors.apps import add_app
from tests.passkeys.requests import add
from tests.people import Person
from tests.support.software_authenticator import USER_PRESENT, SoftwareAuthenticator

ADD = "/account/security/passkeys/add/"
SECOND_FACTOR, SET_UP = "/account/sign-in/second-factor/", "/account/sign-in/set-up/"


@pytest.fixture
def alice(clock: time_machine.Traveller, alice: Person) -> Person:
    """The person, at a clock that stands still."""
    return alice


@pytest.fixture
def phone() -> SoftwareAuthenticator:
    """An authenticator that verifies its user."""
    return SoftwareAuthenticator()


def press(
    visitor: Visitor, authenticator: SoftwareAuthenticator, typed: dict[str, str] | None = None, **lies: Any
) -> Page:
    """Press the button of the form for passkeys on the page, as passkeys.js handles it."""
    form = passkey_form(visitor.page)
    options = visitor.http.post(form.attributes["data-options"], data=form.fields)
    assert options.status_code == 200, options.text
    begun = options.json()
    ask = authenticator.create if form.attributes["data-passkey"] == "create" else authenticator.get
    answer = {"ticket": begun["ticket"], "passkey": json.dumps(ask(begun["options"], **lies))}
    visitor.page = Page(visitor.http.post(form.action, data=form.fields | (typed or {}) | answer))
    return visitor.page


def passkey_form(page: Page) -> Form:
    return next(form for form in page.forms if "data-passkey" in form.attributes)


def test_passkey_is_added_and_the_first_factor_brings_recovery_codes(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    other = Visitor(alice.http)
    other.sign_in(alice.email)
    visitor.sign_in(alice.email)
    visitor.open(ADD)
    page = press(visitor, phone, {"name": "Phone"})
    assert page.status == 200
    assert len(page.codes) == 10
    assert not other.is_signed_in()
    assert alice.me().status_code == 401
    page = visitor.open(SECURITY)
    assert page.path == SECURITY
    assert "Phone Added on 1 January 2030, not used since." in page.text
    visitor.open(ADD)
    assert press(visitor, SoftwareAuthenticator()).path == SECURITY  # no codes: the account has some


def test_passkey_without_a_name_has_that_of_the_device(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    visitor.sign_in(alice.email)
    visitor.http.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"
    visitor.open(ADD)
    press(visitor, phone)
    assert "Firefox on Linux Added on" in visitor.open(SECURITY).text


@pytest.mark.parametrize("lie", [{"origin": "https://evil.example"}, {"challenge": "AAAA"}, {"rp_id": "evil.example"}])
def test_passkey_that_cannot_be_verified_is_not_added(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator, lie: dict[str, str]
) -> None:
    visitor.sign_in(alice.email)
    visitor.open(ADD)
    page = press(visitor, phone, {"name": "Phone"}, **lie)
    assert page.status == 400
    assert "The passkey was not accepted." in page.text
    assert page.form("name").fields["name"] == "Phone"
    assert "None set up." in visitor.open(SECURITY).text


@pytest.mark.parametrize("sent", ["", "{", "[]", '{"id": 1}', '"x"', "[" * 20_000, "x" * 40_001, '{"a":1,"a":2}'])
def test_malformed_answer_of_an_authenticator_is_an_error_of_the_form(
    alice: Person, visitor: Visitor, sent: str
) -> None:
    visitor.sign_in(alice.email)
    visitor.open(ADD)
    page = visitor.submit(name="Phone", passkey=sent, ticket="x" * 43)
    assert page.status == 400
    assert 'role="alert"' in page.answer.text


@pytest.mark.parametrize("name", ["a" * 101, "two\nlines", "\u202e"])
def test_passkey_has_no_long_or_unprintable_name(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator, name: str
) -> None:
    visitor.sign_in(alice.email)
    visitor.open(ADD)
    assert press(visitor, phone, {"name": name}).status == 400


def test_options_ask_for_a_session_and_a_recent_proof_as_the_page_does(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    visitor.sign_in(alice.email)
    form = passkey_form(visitor.open(ADD))
    clock.shift(timedelta(minutes=10))
    answer = visitor.http.post(form.attributes["data-options"], data=form.fields)
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    visitor.http.cookies.delete("sessionid")
    answer = visitor.http.post(form.attributes["data-options"], data=form.fields)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_passkey_signs_in_without_address_and_password(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    add(alice, phone)
    visitor.open(f"{SIGN_IN}?next={RECOVERY_CODES}")
    assert press(visitor, phone).path == RECOVERY_CODES
    assert "last used on 1 January 2030, 12:00 UTC" in visitor.open(SECURITY).text


@pytest.mark.parametrize("lie", [{"origin": "https://evil.example"}, {"challenge": "AAAA"}, {"flags": USER_PRESENT}])
def test_sign_in_page_says_that_a_passkey_was_not_accepted(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator, lie: dict[str, Any]
) -> None:
    add(alice, phone)
    visitor.open(f"{SIGN_IN}?next={RECOVERY_CODES}")
    page = press(visitor, phone, **lie)
    assert page.path == SIGN_IN
    assert "The passkey was not accepted." in page.text
    assert page.form("email").fields["next"] == RECOVERY_CODES
    assert not visitor.is_signed_in()


def test_sign_in_with_a_passkey_takes_five_minutes_at_most(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    add(alice, phone)
    form = passkey_form(visitor.open(SIGN_IN))
    begun = visitor.http.post(form.attributes["data-options"], data=form.fields).json()
    clock.shift(timedelta(minutes=5, seconds=1))
    answer = {"ticket": begun["ticket"], "passkey": json.dumps(phone.get(begun["options"]))}
    page = Page(visitor.http.post(form.action, data=form.fields | answer))
    assert "That took too long. Try again." in page.text
    assert not visitor.is_signed_in()


def test_passkey_is_a_second_factor_after_the_password(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    add(alice, phone)
    page = visitor.sign_in(alice.email)
    assert page.path == SECOND_FACTOR
    assert not any("code" in form.fields for form in page.forms)
    page = press(visitor, phone, origin="https://evil.example")
    assert (page.status, page.path) == (400, SECOND_FACTOR)
    assert "The passkey was not accepted." in page.text
    assert not visitor.is_signed_in()
    assert press(visitor, phone).path == SECURITY


def test_options_of_the_second_factor_keep_the_ticket_in_the_browser_session(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    add(alice, phone)
    form = passkey_form(visitor.sign_in(alice.email))
    assert visitor.http.post(form.attributes["data-options"], data=form.fields).json()["ticket"] == ""
    stranger = Visitor(alice.http)
    fields = passkey_form(stranger.open(SIGN_IN)).fields
    answer = stranger.http.post(form.attributes["data-options"], data=fields)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_ticket")


def test_passkey_confirms_a_change(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    add(alice, phone)
    visitor.open(SIGN_IN)
    press(visitor, phone)
    clock.shift(timedelta(minutes=10))
    assert visitor.open(RECOVERY_CODES).path == CONFIRM
    assert press(visitor, phone, challenge="AAAA").status == 400
    assert press(visitor, phone).path == RECOVERY_CODES


def test_passkey_is_renamed_and_removed_by_its_owner(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    passkey = add(alice, phone)["passkey"]
    visitor.open(SIGN_IN)
    press(visitor, phone)
    page = visitor.open(f"/account/security/passkeys/{passkey['id']}/")
    assert page.form("name").fields["name"] == "Phone"
    page = visitor.submit(name=" Old phone ")
    assert page.path == SECURITY
    assert "Old phone Added on" in page.text
    page = visitor.open(f"/account/security/passkeys/{passkey['id']}/remove/")
    assert "It is your only second factor" in page.text
    page = visitor.submit(action="/remove/")
    assert page.path == SECURITY
    assert "None set up." in page.text
    assert Visitor(alice.http).sign_in(alice.email).path == SECURITY


def test_passkeys_of_others_do_not_exist(
    alice: Person, bob: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    passkey = add(bob, phone)["passkey"]
    visitor.sign_in(alice.email)
    for page in (f"/account/security/passkeys/{passkey['id']}/", f"/account/security/passkeys/{passkey['id']}/remove/"):
        assert visitor.http.get(page).status_code == 404
        fields = visitor.open(SECURITY).forms[-1].fields
        assert visitor.http.post(page, data=fields | {"name": "Mine"}).status_code == 404
    listed = bob.http.get("/api/me/passkeys/", headers=bob.bearer()).json()
    assert "Phone" in str(listed)


def test_account_that_has_to_have_a_second_factor_can_set_up_a_passkey(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator, set_policy: Callable[..., None]
) -> None:
    set_policy(second_factor="required")
    page = visitor.sign_in(alice.email)
    assert page.path == SET_UP
    assert f'href="{SET_UP}passkey/?next=/account/"' in page.answer.text
    visitor.open(f"{SET_UP}passkey/?next=/account/")
    assert press(visitor, phone, {"name": "Phone"}, challenge="AAAA").status == 400
    assert not visitor.is_signed_in()
    page = press(visitor, phone, {"name": "Phone"})
    assert len(page.codes) == 10
    assert visitor.is_signed_in()


def test_pages_offer_no_passkeys_where_the_service_has_no_domain_for_them(
    alice: Person, visitor: Visitor, settings: Any
) -> None:
    settings.PASSKEY_RP_ID = ""
    page = visitor.open(SIGN_IN)
    assert "passkey" not in page.answer.text
    assert "passkey" not in visitor.sign_in(alice.email).answer.text


def test_passkey_and_authenticator_app_are_offered_side_by_side(
    alice: Person, visitor: Visitor, phone: SoftwareAuthenticator
) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    visitor.submit(code=app.next_code())
    visitor.open(ADD)
    press(visitor, phone)
    page = Visitor(alice.http).sign_in(alice.email)
    assert passkey_form(page)
    assert page.form("code")
    assert page.form("recovery_code")
