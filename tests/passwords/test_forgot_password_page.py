"""/forgot-password/: the page to request a password reset mail, for deployments without a front end of their own."""

import re
from collections.abc import Iterator

import httpx
import pytest

from latchkey.mail.notices import RESET_PAGE
from tests.outbox import sent_mails
from tests.people import Person
from tests.support.endpoints import nothing_changes

PAGE = "/forgot-password/"


@pytest.fixture
def browser(alice: Person) -> Iterator[httpx.Client]:
    """A client that keeps cookies, as a browser does."""
    with httpx.Client(transport=alice.http._transport, base_url=alice.http.base_url) as client:
        yield client


def request_reset(browser: httpx.Client, email: str) -> httpx.Response:
    """Open the page, type the address, and press the button."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', browser.get(PAGE).text))
    return browser.post(PAGE, data=hidden | {"email": email})


def test_forgot_password_page_sends_a_reset_mail_to_the_address_of_the_account(
    alice: Person, browser: httpx.Client
) -> None:
    answer = request_reset(browser, " Alice@Example.com ")
    assert answer.status_code == 200
    assert "Check your inbox" in answer.text
    (mail,) = sent_mails()
    assert (mail.kind, mail.to) == ("password_reset", alice.email)


@pytest.mark.ledger("ASVS-6.3.8")
def test_forgot_password_page_answers_alike_for_known_and_unknown_addresses(browser: httpx.Client) -> None:
    known, unknown = (request_reset(browser, email) for email in ("alice@example.com", "nobody@example.com"))
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert len(sent_mails()) == 1


def test_forgot_password_page_get_changes_nothing(browser: httpx.Client) -> None:
    with nothing_changes():
        answer = browser.get(PAGE)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_forgot_password_page_refuses_a_post_without_csrf_token(browser: httpx.Client) -> None:
    with nothing_changes():
        assert browser.post(PAGE, data={"email": "alice@example.com"}).status_code == 403


@pytest.mark.parametrize(
    "email", ["", "alice", "a" * 300 + "@example.com", "alice@example.com\r\nBcc: eve@example.com"]
)
def test_forgot_password_page_shows_an_invalid_address_as_a_field_error(browser: httpx.Client, email: str) -> None:
    answer = request_reset(browser, email)
    assert answer.status_code == 400
    assert 'class="wrong"' in answer.text
    assert sent_mails() == []


def test_forgot_password_page_rate_limits_known_and_unknown_addresses_alike(browser: httpx.Client) -> None:
    for email in ("alice@example.com", "nobody@example.com"):
        answers = [request_reset(browser, email) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert re.search(r"Try again in \d+ seconds", answers[-1].text)
        assert int(answers[-1].headers["Retry-After"]) > 0


def test_invalid_reset_links_and_notices_lead_to_the_forgot_password_page(browser: httpx.Client) -> None:
    assert f'<form method="post" action="{PAGE}">' in browser.get("/reset-password/?token=spent").text
    assert RESET_PAGE == PAGE
