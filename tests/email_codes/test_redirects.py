"""redirect_to: where the page of a mailed link leads after success, out of the operator's allow-list."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from latchkey.conf.web_urls import parse_redirect_urls
from latchkey.email_codes.models import OneTimeCode
from tests.email_codes.test_link_pages import NEW, submit_page
from tests.outbox import last_code_mail, sent_mails
from tests.people import Person
from tests.problems import assert_problem

TARGET = "https://app.example.com/account/welcome?from=mail&x=1"
ESCAPED = TARGET.replace("&", "&amp;")


@pytest.fixture(autouse=True)
def allow_list(settings: Any) -> None:
    settings.REDIRECT_URLS = parse_redirect_urls(["https://app.example.com/account/"])


@pytest.fixture
def browser(alice: Person) -> Iterator[httpx.Client]:
    """A client that keeps cookies, as a browser does."""
    with httpx.Client(transport=alice.http._transport, base_url=alice.http.base_url) as client:
        yield client


def ask(person: Person, path: str, redirect_to: object = TARGET) -> httpx.Response:
    """Send one of the three requests for a mail."""
    body: dict[str, object] = {"email": person.email, "redirect_to": redirect_to}
    if path == "/api/email/change/":
        body |= {"email": "alice@new.example", "password": person.password}
    return person.http.post(path, json=body, headers=person.bearer())


REQUESTS = {
    "/api/password/reset/": {"new_password": NEW, "new_password_repeat": NEW},
    "/api/email/verify/resend/": {},
    "/api/email/change/": {},
}
each_request = pytest.mark.parametrize(("path", "typed"), REQUESTS.items())


def buttons(page: httpx.Response) -> list[str]:
    return re.findall(r'<a class="button" href="([^"]+)"', page.text)


@each_request
def test_page_leads_to_the_target_of_the_request_after_success(
    alice: Person, browser: httpx.Client, path: str, typed: dict[str, str], set_policy: Callable[..., None]
) -> None:
    set_policy(app_url="https://app.example.com/", site_name="Example & Co")
    assert ask(alice, path).status_code == 202
    mail = last_code_mail()
    assert "app.example.com" not in mail.link
    done = submit_page(browser, mail, **typed)
    assert done.status_code == 200
    assert buttons(done) == [ESCAPED]
    assert "Continue to Example &amp; Co" in done.text
    assert "Location" not in done.headers


@each_request
def test_page_leads_to_the_app_url_without_a_target_and_nowhere_without_both(
    alice: Person, browser: httpx.Client, path: str, typed: dict[str, str], set_policy: Callable[..., None]
) -> None:
    assert ask(alice, path, redirect_to="").status_code == 202
    set_policy(app_url="https://app.example.com/start")
    assert buttons(submit_page(browser, last_code_mail(), **typed)) == ["https://app.example.com/start"]


def test_page_has_no_button_without_a_target_and_an_app_url(alice: Person, browser: httpx.Client) -> None:
    ask(alice, "/api/email/verify/resend/", redirect_to="")
    assert buttons(submit_page(browser, last_code_mail())) == []


@each_request
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "https://app.example.com@evil.example/account/",
        "//evil.example",
        "https://app.example.com/account/..%2f..",
        "javascript:alert(1)",
        "x" * 2000,
        7,
        None,
    ],
)
def test_request_with_a_target_that_is_not_allowed_is_refused_and_sends_no_mail(
    alice: Person, path: str, typed: dict[str, str], target: object
) -> None:
    assert_problem(ask(alice, path, target), 400, "invalid", ["redirect_to"])
    assert sent_mails() == []
    assert not OneTimeCode.objects.exists()


def test_target_that_is_no_longer_allowed_is_not_shown(alice: Person, browser: httpx.Client, settings: Any) -> None:
    ask(alice, "/api/email/verify/resend/")
    settings.REDIRECT_URLS = parse_redirect_urls(["https://app.example.com/other/"])
    assert buttons(submit_page(browser, last_code_mail())) == []


def test_target_is_refused_alike_for_an_address_without_an_account(alice: Person) -> None:
    body = {"email": "nobody@example.com", "redirect_to": "https://evil.example/"}
    assert_problem(alice.http.post("/api/password/reset/", json=body), 400, "invalid", ["redirect_to"])
    body["redirect_to"] = TARGET
    answers = [
        alice.http.post("/api/password/reset/", json=body | {"email": email}).content
        for email in ("nobody@example.com", alice.email)
    ]
    assert answers[0] == answers[1]


def test_forgot_password_page_keeps_an_allowed_target_and_drops_another(alice: Person, browser: httpx.Client) -> None:
    for target, kept in ((TARGET, TARGET), ("https://evil.example/", None)):
        page = browser.get("/forgot-password/", params={"redirect_to": target})
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        fields["redirect_to"] = fields["redirect_to"].replace("&amp;", "&")
        done = browser.post("/forgot-password/", data=fields | {"email": alice.email})
        assert "Check your inbox" in done.text
        assert OneTimeCode.objects.latest("pk").redirect_to == kept


def test_registration_takes_no_target(http: httpx.Client, set_policy: Callable[..., None]) -> None:
    set_policy(email_verification="required")
    body = {"email": "bob@example.com", "password": NEW, "redirect_to": TARGET}
    assert http.post("/api/register/", json=body).status_code == 202
    assert OneTimeCode.objects.get().redirect_to is None
