"""/account/sign-in/: the same gate, limits and answers as POST /api/login/, for people in a browser."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from latchkey.core.clock import now
from tests.account_pages.visitor import SECURITY, SIGN_IN, Page, Visitor
from tests.factors.apps import add_app, code_at, wrong_code
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes

SECOND_FACTOR, SET_UP = "/account/sign-in/second-factor/", "/account/sign-in/set-up/"
NO_ACCOUNT = "No active account matches this e-mail address and password."


def test_sign_in_page_leads_to_the_overview(alice: Person, visitor: Visitor) -> None:
    page = visitor.sign_in(" Alice@Example.com ")
    assert (page.status, page.path) == (200, SECURITY)
    assert f"Signed in as {alice.email}" in page.text
    assert visitor.open(SIGN_IN).path == SECURITY


@pytest.mark.parametrize("path", ["/account/", SECURITY, "/account/security/authenticator/", "/account/confirm/"])
def test_account_pages_lead_to_the_sign_in_page_and_back(alice: Person, visitor: Visitor, path: str) -> None:
    assert visitor.open(path).path == SIGN_IN
    page = visitor.submit(email=alice.email, password=PASSWORD)
    assert page.path == (path if path != "/account/" else SECURITY)


@pytest.mark.ledger("ASVS-6.3.8")
def test_sign_in_page_answers_alike_for_a_wrong_password_an_unknown_address_and_an_inactive_account(
    alice: Person, bob: Person, visitor: Visitor, user_row: Callable[[Person], Any]
) -> None:
    inactive = user_row(bob)
    inactive.is_active = False
    inactive.save()
    tried = [(alice.email, "wrong"), ("nobody@example.com", PASSWORD), (bob.email, PASSWORD)]
    pages = [visitor.sign_in(email, password) for email, password in tried]
    assert {(page.status, page.path) for page in pages} == {(400, SIGN_IN)}
    assert {without_what_varies(page, email) for page, (email, _) in zip(pages, tried, strict=True)} == {
        without_what_varies(pages[0], alice.email)
    }
    assert NO_ACCOUNT in pages[0].text
    assert not visitor.is_signed_in()


def without_what_varies(page: Page, email: str) -> str:
    return re.sub('csrfmiddlewaretoken" value="[^"]*"', "", page.answer.text).replace(email, "")


@pytest.mark.ledger("ASVS-6.3.1")
def test_sign_in_page_shares_the_limits_on_attempts_with_the_api(alice: Person, visitor: Visitor) -> None:
    for _ in range(5):
        assert visitor.sign_in(alice.email, "wrong").status == 400
        assert_problem(try_login(alice.http, password="wrong"), 401, "invalid_credentials")
    page = visitor.sign_in(alice.email)
    assert page.status == 429
    assert re.search(r"Try again in \d+ seconds", page.text)
    assert int(page.answer.headers["Retry-After"]) > 0
    assert page.form("email", "password")
    assert not visitor.is_signed_in()


def test_sign_in_page_refunds_the_attempt_after_the_right_password(alice: Person, visitor: Visitor) -> None:
    for _ in range(12):
        assert visitor.sign_in(alice.email).path == SECURITY
        visitor.submit(action="/account/sign-out/")


def test_sign_in_page_asks_for_a_verified_address_where_the_policy_does(
    alice: Person, visitor: Visitor, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="required")
    page = visitor.sign_in(alice.email)
    assert page.status == 403
    assert "Verify your e-mail address first" in page.text
    assert 'href="/verify-email/resend/"' in page.answer.text
    assert not visitor.is_signed_in()


def test_password_alone_opens_no_browser_session_where_a_second_factor_is_set(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    app = add_app(alice)
    assert visitor.sign_in(alice.email).path == SECOND_FACTOR
    assert not visitor.is_signed_in()
    assert visitor.open(SECOND_FACTOR).status == 200
    page = visitor.submit(code=app.next_code())
    assert page.path == SECURITY
    assert visitor.is_signed_in()


def test_second_factor_page_takes_a_code_as_people_type_it_and_only_once(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    code = add_app(alice).next_code()
    visitor.sign_in(alice.email)
    assert visitor.submit(code=f" {code[:3]} {code[3:]} ").path == SECURITY
    again = Visitor(alice.http)
    again.sign_in(alice.email)
    page = again.submit(code=code)
    assert (page.status, page.path) == (400, SECOND_FACTOR)
    assert "The code is wrong, too old, or was used before" in page.text
    assert not again.is_signed_in()


def test_second_factor_page_takes_each_recovery_code_once(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    code = add_app(alice).recovery_codes[3]
    visitor.sign_in(alice.email)
    page = visitor.submit(recovery_code=code.lower())
    assert page.path == SECURITY
    assert "9 codes left." in page.text
    again = Visitor(alice.http)
    again.sign_in(alice.email)
    page = again.submit(recovery_code=code)
    assert page.status == 400
    assert "The recovery code is wrong or was used before." in page.text


def test_second_factor_page_leads_back_to_the_password_after_five_uses_of_its_ticket(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    for _ in range(4):
        assert visitor.submit(code=wrong_code(app.secret, now())).status == 400
        clock.shift(timedelta(seconds=1))
    visitor.submit(recovery_code="AAAAA-AAAAA")
    page = visitor.submit(code=app.next_code())
    assert page.path == SIGN_IN
    assert "Sign in again." in page.text
    assert visitor.open(SECOND_FACTOR).path == SIGN_IN
    assert not visitor.is_signed_in()


def test_second_factor_page_is_worthless_after_five_minutes(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    clock.shift(timedelta(minutes=5, seconds=1))
    assert visitor.submit(code=app.next_code()).path == SIGN_IN
    assert not visitor.is_signed_in()


def test_second_factor_page_keeps_the_form_while_attempts_are_limited(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    for _ in range(4):
        visitor.submit(code=wrong_code(app.secret, now()))
    visitor.sign_in(alice.email)
    assert visitor.submit(code=wrong_code(app.secret, now())).status == 400
    page = visitor.submit(code=app.next_code())
    assert page.status == 429
    assert visitor.submit(recovery_code=app.recovery_codes[0]).path == SECURITY


@pytest.mark.parametrize("typed", [{"code": ""}, {"code": " "}, {"recovery_code": ""}, {"code": "1" * 65}])
def test_second_factor_page_shows_an_empty_or_long_answer_as_an_error(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor, typed: dict[str, str]
) -> None:
    add_app(alice)
    visitor.sign_in(alice.email)
    page = visitor.submit(**typed)
    assert (page.status, page.path) == (400, SECOND_FACTOR)
    assert 'role="alert"' in page.answer.text


@pytest.mark.ledger("ASVS-3.7.2")
@pytest.mark.parametrize(
    "target",
    [
        *(
            "https://evil.example/",
            "//evil.example/account/",
            "/\\evil.example/account/",
            "/admin/",
            "javascript:alert(1)",
        ),
        *(
            "/account/../admin/",
            "/account/%2e%2e/admin/",
            "/accounts/",
            "account/security/",
            "//[account/",
            "\n/account/",
        ),
    ],
)
def test_sign_in_leads_nowhere_outside_the_account_pages(alice: Person, visitor: Visitor, target: str) -> None:
    visitor.http.follow_redirects = False
    visitor.page = Page(visitor.http.get(SIGN_IN, params={"next": target}))
    page = visitor.submit(email=alice.email, password=PASSWORD)
    assert (page.status, page.answer.headers["Location"]) == (302, "/account/")


def test_sign_in_page_refuses_a_post_without_csrf_token(alice: Person, visitor: Visitor) -> None:
    with nothing_changes():
        answer = visitor.http.post(SIGN_IN, data={"email": alice.email, "password": PASSWORD})
    assert answer.status_code == 403
    assert not visitor.is_signed_in()


def test_sign_in_page_get_stores_nothing_and_sets_no_session_cookie(alice: Person, visitor: Visitor) -> None:
    with nothing_changes():
        page = visitor.open(SIGN_IN)
    assert page.answer.headers["Cache-Control"] == "no-store"
    assert "sessionid" not in visitor.http.cookies


@pytest.mark.ledger("ASVS-7.2.4")
def test_sign_in_replaces_the_cookie_that_the_browser_had(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    before = visitor.http.cookies["sessionid"]
    visitor.submit(code=app.next_code())
    after = visitor.http.cookies["sessionid"]
    assert before != after
    stolen = Visitor(alice.http)
    stolen.http.cookies.set("sessionid", before)
    assert not stolen.is_signed_in()


def test_sign_out_ends_the_browser_session_and_no_other(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    cookie = visitor.http.cookies["sessionid"]
    page = visitor.submit(action="/account/sign-out/")
    assert (page.path, "You are signed out." in page.text) == (SIGN_IN, True)
    stolen = Visitor(alice.http)
    stolen.http.cookies.set("sessionid", cookie)
    assert not stolen.is_signed_in()
    assert alice.me().status_code == 200


def test_browser_session_of_the_account_pages_is_none_of_the_api_or_of_the_admin_area(
    alice: Person, visitor: Visitor
) -> None:
    visitor.sign_in(alice.email)
    assert visitor.http.get("/api/me/").status_code == 401
    assert Page(visitor.http.get("/admin/")).path == "/admin/login/"


@pytest.mark.ledger("ASVS-7.4.2")
@pytest.mark.parametrize("change", ["password", "inactive"])
def test_new_password_and_deactivation_end_the_browser_session(
    alice: Person, visitor: Visitor, user_row: Callable[[Person], Any], change: str
) -> None:
    visitor.sign_in(alice.email)
    assert visitor.is_signed_in()
    user = user_row(alice)
    if change == "password":
        user.set_password("seven purple trains to the sea")
    else:
        user.is_active = False
    user.save()
    assert not visitor.is_signed_in()


def test_account_that_has_to_have_a_second_factor_sets_one_up_before_it_is_signed_in(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor, set_policy: Callable[..., None]
) -> None:
    set_policy(second_factor="required")
    page = visitor.sign_in(alice.email, page=f"{SIGN_IN}?next=/account/security/recovery-codes/")
    assert page.path == SET_UP
    assert not visitor.is_signed_in()
    (secret,) = page.codes
    assert visitor.submit(code=wrong_code(secret, now())).status == 400
    assert not visitor.is_signed_in()
    page = visitor.submit(code=code_at(secret, now(), -1))
    assert page.status == 200
    assert len(page.codes) == 10
    assert visitor.is_signed_in()
    assert 'href="/account/security/recovery-codes/"' in page.answer.text
    again = Visitor(alice.http)
    assert again.sign_in(alice.email).path == SECOND_FACTOR
    assert again.submit(code=code_at(secret, now())).path == SECURITY


def test_sign_in_in_a_browser_is_in_the_history_of_the_account(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email, "wrong")
    visitor.sign_in(alice.email)
    visitor.submit(code=wrong_code(app.secret, now()))
    visitor.submit(code=app.next_code())
    history = alice.http.get("/api/me/events/", headers=alice.bearer()).json()["events"]
    names = [event["event"] for event in history]
    assert names[:4] == ["login.succeeded", "factor.refused", "login.challenged", "login.failed"]


@pytest.mark.parametrize(("path", "allowed"), [(SIGN_IN, "GET, HEAD, POST"), (SECURITY, "GET, HEAD")])
def test_account_pages_name_the_methods_that_they_take(
    alice: Person, visitor: Visitor, path: str, allowed: str
) -> None:
    visitor.sign_in(alice.email)
    token = {"X-CSRFToken": visitor.http.cookies["csrftoken"]}
    answer = visitor.http.put(path, headers=token)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
