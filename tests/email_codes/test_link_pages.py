"""The pages behind e-mailed links: /reset-password/, /verify-email/ and /confirm-email/."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.passwords.reset import send_reset
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from tests.outbox import SentMail, last_mail, sent_mails
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes
from tests.web.test_api_docs import assets

NEW = "seven purple trains to the sea"
PATHS = {
    "password_reset": "/reset-password/",
    "email_verification": "/verify-email/",
    "email_change": "/confirm-email/",
}


@pytest.fixture
def mails(alice: Person) -> dict[str, SentMail]:
    """A mail of each kind to alice."""
    alice.http.post("/api/password/reset/", json={"email": alice.email})
    alice.http.post("/api/email/verify/resend/", json={"email": alice.email})
    new = {"email": "alice@new.example", "password": alice.password}
    alice.http.post("/api/email/change/", json=new, headers=alice.bearer())
    return {mail.kind: mail for mail in sent_mails()}


@pytest.fixture
def browser(alice: Person) -> Iterator[httpx.Client]:
    """A client that keeps cookies, as a browser does."""
    with httpx.Client(transport=alice.http._transport, base_url=alice.http.base_url) as client:
        yield client


def page_path(mail: SentMail) -> str:
    return mail.link.removeprefix("http://127.0.0.1:8000")


def hidden_fields(page: httpx.Response) -> dict[str, str]:
    """Return the hidden fields of the form on the page."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page.text))


def submit_page(browser: httpx.Client, mail: SentMail, **typed: str) -> httpx.Response:
    """Open the page, fill in the form and submit it."""
    page = browser.get(page_path(mail))
    assert page.status_code == 200
    (action,) = re.findall(r'<form method="post" action="([^"]+)"', page.text)
    return browser.post(action, data=hidden_fields(page) | typed)


def assert_page(answer: httpx.Response, status: int, heading: str) -> None:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert re.findall(r"<h1>(.*?)</h1>", answer.text) == [heading]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_reset_page_sets_the_password_and_ends_sessions(
    alice: Person, mails: dict[str, SentMail], browser: httpx.Client
) -> None:
    answer = submit_page(browser, mails["password_reset"], new_password=NEW, new_password_repeat=NEW)
    assert_page(answer, 200, "Password changed")
    assert mails["password_reset"].token not in answer.text
    assert NEW not in answer.text
    assert_problem(alice.me(), 401, "invalid_token")
    assert try_login(alice.http, password=NEW).status_code == 200
    again = browser.get(page_path(mails["password_reset"]))
    assert_page(again, 400, "This link is invalid or has expired")
    assert re.findall(r'<form method="post" action="([^"]+)"', again.text) == ["/forgot-password/"]
    assert NEW not in again.text


def test_verification_page_verifies_the_email_address(
    alice: Person, mails: dict[str, SentMail], browser: httpx.Client
) -> None:
    assert alice.email in browser.get(page_path(mails["email_verification"])).text
    assert_page(submit_page(browser, mails["email_verification"]), 200, "E-mail address confirmed")
    assert User.objects.get().email_verified_at is not None


def test_email_change_page_changes_the_email_address(
    alice: Person, mails: dict[str, SentMail], browser: httpx.Client
) -> None:
    assert "alice@new.example" in browser.get(page_path(mails["email_change"])).text
    assert_page(submit_page(browser, mails["email_change"]), 200, "E-mail address changed")
    assert alice.me().json()["email"] == "alice@new.example"


def test_email_change_page_reports_an_address_that_was_taken_meanwhile(
    alice: Person, mails: dict[str, SentMail], browser: httpx.Client
) -> None:
    Person(alice.http, "alice@new.example").register()
    answer = submit_page(browser, mails["email_change"])
    assert_page(answer, 400, "Confirm your new address")
    assert "An account with this e-mail address exists already." in answer.text


@pytest.mark.ledger("CS-FP-5")
@pytest.mark.parametrize("kind", PATHS)
def test_get_of_a_link_page_changes_nothing(alice: Person, mails: dict[str, SentMail], kind: str) -> None:
    with nothing_changes():
        for method in ("GET", "HEAD", "GET", "HEAD", "OPTIONS", "TRACE"):
            answer = alice.http.request(method, page_path(mails[kind]))
            assert answer.status_code == (200 if method in ("GET", "HEAD") else 405)
            assert "no-store" in answer.headers["Cache-Control"]
    body = {"token": mails[kind].token, "new_password": NEW}
    endpoints = {"password_reset": "password/reset/confirm", "email_verification": "email/verify"}
    path = endpoints.get(kind, "email/change/confirm")
    assert alice.http.post(f"/api/{path}/", json=body).status_code == 200


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"new_password": NEW, "new_password_repeat": NEW + "!"}, "The two passwords differ."),
        ({"new_password": "short", "new_password_repeat": "short"}, "The password is too short"),
        ({"new_password": "x" * 257, "new_password_repeat": "x" * 257}, "The password is longer than 256 characters."),
        ({"new_password": "alice@example.com", "new_password_repeat": "alice@example.com"}, "The password consists of"),
        ({"new_password": "", "new_password_repeat": ""}, "This field is required."),
        ({"new_password": "x\x00" * 10, "new_password_repeat": "x\x00" * 10}, "Null characters are not allowed."),
    ],
)
def test_reset_page_shows_the_error_of_an_invalid_password_and_keeps_the_link_valid(
    alice: Person, mails: dict[str, SentMail], browser: httpx.Client, typed: dict[str, str], sentence: str
) -> None:
    with nothing_changes():
        answer = submit_page(browser, mails["password_reset"], **typed)
    assert_page(answer, 400, "Set a new password")
    assert f'<p class="wrong" role="alert">{sentence}' in answer.text
    assert "short" not in re.findall(r'value="([^"]*)"', answer.text)
    assert_page(
        browser.post(
            "/reset-password/", data=hidden_fields(answer) | {"new_password": NEW, "new_password_repeat": NEW}
        ),
        200,
        "Password changed",
    )


@pytest.mark.parametrize("path", PATHS.values())
@pytest.mark.parametrize("query", ["", "?token=", "?token=x", "?token=%00", "?token=" + "x" * 5000, "?token=<script>"])
def test_link_page_with_an_invalid_token_returns_400(alice: Person, path: str, query: str) -> None:
    answer = alice.http.get(f"{path}{query}")
    assert_page(answer, 400, "This link is invalid or has expired")
    assert "<script" not in answer.text
    assert_problem(alice.http.get(path.rstrip("/")), 404, "not_found")


def test_reset_link_expires_after_30_minutes(
    clock: time_machine.Traveller, alice: Person, browser: httpx.Client
) -> None:
    alice.http.post("/api/password/reset/", json={"email": alice.email})
    page = browser.get(page_path(last_mail(alice.email)))
    clock.shift(timedelta(minutes=30))
    for again in (NEW, "something else"):
        late = browser.post(
            "/reset-password/", data=hidden_fields(page) | {"new_password": NEW, "new_password_repeat": again}
        )
        assert_page(late, 400, "This link is invalid or has expired")
    assert_page(browser.get(page_path(last_mail(alice.email))), 400, "This link is invalid or has expired")


@pytest.mark.parametrize("kind", PATHS)
def test_link_page_form_without_a_csrf_token_is_rejected(alice: Person, mails: dict[str, SentMail], kind: str) -> None:
    form = {"token": mails[kind].token, "new_password": NEW, "new_password_repeat": NEW}
    with nothing_changes():
        assert_problem(alice.http.post(PATHS[kind], data=form), 403, "csrf_failed")


def test_link_page_form_from_another_origin_is_rejected(
    alice: Person, mails: dict[str, SentMail], browser: httpx.Client
) -> None:
    form = hidden_fields(browser.get(page_path(mails["password_reset"]))) | {
        "new_password": NEW,
        "new_password_repeat": NEW,
    }
    for origin in ("https://evil.example", "null"):
        with nothing_changes():
            answer = browser.post("/reset-password/", data=form, headers={"Origin": origin})
            assert_problem(answer, 403, "csrf_failed")
    here = {"Origin": "http://127.0.0.1:8000"}
    assert browser.post("/reset-password/", data=form, headers=here).status_code == 200


def test_link_page_with_many_invalid_tokens_is_rate_limited(alice: Person) -> None:
    for number in range(MAX_PER_WINDOW):
        alice.http.get(f"/reset-password/?token={number}")
    answer = alice.http.get("/reset-password/?token=x")
    assert_page(answer, 429, "Too many attempts")
    assert re.search(rf"Try again in {answer.headers['Retry-After']} seconds\.", answer.text)


@pytest.mark.parametrize("kind", PATHS)
def test_link_page_has_no_scripts_and_no_foreign_assets(alice: Person, mails: dict[str, SentMail], kind: str) -> None:
    page = alice.http.get(page_path(mails[kind]))
    assert "<script" not in page.text
    assert "http" not in "".join(assets(page.text))
    for address in assets(page.text):
        assert alice.http.get(address).status_code == 200


def test_reset_page_escapes_the_email_address(
    alice: Person, browser: httpx.Client, set_policy: Callable[..., Any]
) -> None:
    User.objects.filter(pk=alice.id).update(email="<b>{{7*7}}</b>'\"@example.com")
    user = User.objects.get()
    assert send_reset(user.pk)
    page = browser.get(page_path(last_mail(user.email)))
    assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in page.text
    assert "<b>{" not in page.text
