"""/account/security/: what the account has, in words, and what all account pages have in common."""

import re
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
import time_machine

from latchkey.urls import ACCOUNT_PAGES
from tests.account_pages.visitor import SECURITY, SIGN_IN, Visitor
from tests.factors.apps import add_app, request_ticket, try_second_factor
from tests.passkeys.requests import add
from tests.people import Person
from tests.support.endpoints import nothing_changes
from tests.support.software_authenticator import SoftwareAuthenticator

PATHS = [f"/{pattern.pattern}".replace("<passkey_id>", "1").replace("<key_id>", "abcdef") for pattern in ACCOUNT_PAGES]


def test_overview_of_an_account_without_second_factor_offers_to_set_one_up(alice: Person, visitor: Visitor) -> None:
    page = visitor.sign_in(alice.email)
    assert "Not set up." in page.text
    assert page.form(action="/account/security/authenticator/")
    assert 'href="/account/security/passkeys/add/"' in page.answer.text
    assert "codes left" not in page.text


def test_overview_says_when_the_authenticator_app_was_set_up_and_last_used(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    app = add_app(alice)
    clock.shift(timedelta(days=40, hours=1, minutes=2))
    visitor.sign_in(alice.email)
    page = visitor.submit(code=app.next_code())
    assert "Set up on 1 January 2030, last used on 10 February 2030, 13:02 UTC." in page.text


def test_overview_lists_passkeys_by_name_and_escapes_it(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    phone = SoftwareAuthenticator()
    codes = add(alice, phone, "<b>Phone</b> & co")["recovery_codes"]
    visitor.sign_in(alice.email)
    page = visitor.submit(recovery_code=codes[0])
    assert "<b>Phone</b> & co" in page.text
    assert "Added on 1 January 2030, not used since" in page.text
    assert "<b>Phone" not in page.answer.text


@pytest.mark.parametrize(("used", "warns"), [(6, False), (7, True), (9, True)])
def test_overview_warns_when_three_recovery_codes_or_fewer_are_left(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor, used: int, warns: bool
) -> None:
    app = add_app(alice)
    for code in app.recovery_codes[:used]:
        assert try_second_factor(alice.http, request_ticket(alice), recovery_code=code).status_code == 200
    visitor.sign_in(alice.email)
    page = visitor.submit(code=app.next_code())
    left = 10 - used
    assert f"{left} code{'' if left == 1 else 's'} left." in page.text
    assert ("Make new ones" in page.text) is warns
    assert ('class="warning"' in page.answer.text) is warns


def test_overview_says_why_no_second_factor_can_be_set_up(
    alice: Person, visitor: Visitor, set_policy: Callable[..., None]
) -> None:
    set_policy(second_factor="off")
    page = visitor.sign_in(alice.email)
    assert "Setting up second factors is switched off." in page.text
    assert [form.action for form in page.forms] == ["/account/sign-out/"]
    assert "passkeys/add" not in page.answer.text


def test_overview_asks_for_a_verified_address_first(
    alice: Person, visitor: Visitor, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="optional")
    page = visitor.sign_in(alice.email)
    assert "confirm your e-mail address" in page.text
    assert 'href="/verify-email/resend/"' in page.answer.text


@pytest.mark.parametrize("path", PATHS)
def test_account_pages_change_nothing_when_opened_and_are_never_stored(
    alice: Person, visitor: Visitor, path: str
) -> None:
    visitor.http.follow_redirects = False
    with nothing_changes():
        answer = visitor.http.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == (200 if path == SIGN_IN else 405 if path.endswith("/options/") else 302)
    if path not in ("/account/", SIGN_IN) and answer.status_code == 302 and "/sign-in/" not in path:
        assert answer.headers["Location"].startswith((SIGN_IN, SECURITY))
    if answer.status_code == 405:
        assert answer.headers["Allow"] == "POST"
    if path != "/account/":
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ("/account/", SECURITY)])
def test_account_pages_refuse_a_post_without_csrf_token(alice: Person, visitor: Visitor, path: str) -> None:
    visitor.sign_in(alice.email)
    with nothing_changes():
        assert visitor.http.post(path, data={"code": "123456"}).status_code == 403


@pytest.mark.ledger("ASVS-3.4.3")
def test_account_pages_have_the_content_security_policy_of_all_pages_and_no_inline_script(
    alice: Person, visitor: Visitor
) -> None:
    visitor.open(SIGN_IN)
    pages = [visitor.page, visitor.sign_in(alice.email), visitor.open("/account/security/passkeys/add/")]
    pages += [visitor.open("/account/security/authenticator/"), visitor.open("/account/confirm/")]
    for page in pages:
        headers, html = page.answer.headers, page.answer.text
        assert "script-src 'self';" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "strict-origin"
        assert set(re.findall("<script[^>]*>", html)) <= {'<script src="/static/latchkey/passkeys.js" defer>'}
        assert not re.search(r"\son\w+=", html)


def test_account_pages_show_name_colour_and_support_of_the_site(
    http: httpx.Client, visitor: Visitor, set_policy: Callable[..., None]
) -> None:
    set_policy(site_name="Bicycles & Co", accent_color="#123456", support_email="help@example.com")
    page = visitor.open(SIGN_IN)
    assert "Bicycles & Co" in page.text
    assert "--accent: #123456" in page.answer.text
    assert "help@example.com" in page.text
