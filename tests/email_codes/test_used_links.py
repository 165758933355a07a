"""Used links: "already confirmed" for the person who received the link, else a form for another mail."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.email_codes.models import OneTimeCode, Purpose
from tests.email_codes.test_link_pages import NEW, assert_page, page_path, submit_page
from tests.outbox import SentMail, last_code_mail, sent_mails
from tests.people import Person

ALREADY = "E-mail address already confirmed"
INVALID = "This link is invalid or has expired"
RESEND = "/verify-email/resend/"


@pytest.fixture
def browser(alice: Person) -> Iterator[httpx.Client]:
    """A client that keeps cookies, as a browser does."""
    with httpx.Client(transport=alice.http._transport, base_url=alice.http.base_url) as client:
        yield client


@pytest.fixture
def mail(alice: Person) -> SentMail:
    """A mail that verifies the address of alice."""
    alice.http.post("/api/email/verify/resend/", json={"email": alice.email})
    return last_code_mail()


def change_mail(alice: Person) -> SentMail:
    body = {"email": "alice@new.example", "password": alice.password}
    assert alice.http.post("/api/email/change/", json=body, headers=alice.bearer()).status_code == 202
    return last_code_mail()


def form_actions(page: httpx.Response) -> list[str]:
    return re.findall(r'<form method="post" action="([^"]+)"', page.text)


def test_used_verification_link_says_already_confirmed(
    alice: Person, browser: httpx.Client, mail: SentMail, set_policy: Callable[..., None]
) -> None:
    set_policy(app_url="https://app.example.com/")
    assert_page(submit_page(browser, mail), 200, "E-mail address confirmed")
    for _ in range(2):
        again = browser.get(page_path(mail))
        assert_page(again, 200, ALREADY)
        assert 'href="https://app.example.com/"' in again.text
        assert form_actions(again) == []
        assert alice.email not in again.text


def test_button_that_is_pressed_twice_says_already_confirmed(browser: httpx.Client, mail: SentMail) -> None:
    page = browser.get(page_path(mail))
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page.text))
    assert_page(browser.post("/verify-email/", data=fields), 200, "E-mail address confirmed")
    assert_page(browser.post("/verify-email/", data=fields), 200, ALREADY)


def test_link_says_already_confirmed_after_the_code_of_the_same_mail_was_typed(
    alice: Person, browser: httpx.Client, mail: SentMail
) -> None:
    assert alice.http.post("/api/email/verify/", json=mail.code_fields).status_code == 200
    assert_page(browser.get(page_path(mail)), 200, ALREADY)


def test_used_link_says_already_confirmed_after_weeks_and_after_pruning(
    clock: time_machine.Traveller, alice: Person, browser: httpx.Client, mail: SentMail
) -> None:
    submit_page(browser, mail)
    clock.shift(timedelta(days=60))
    OneTimeCode.objects.all().delete()
    assert_page(browser.get(page_path(mail)), 200, ALREADY)


def test_expired_link_of_an_unconfirmed_account_has_a_form_for_another_mail(
    clock: time_machine.Traveller, alice: Person, browser: httpx.Client, mail: SentMail
) -> None:
    clock.shift(timedelta(minutes=31))
    page = browser.get(page_path(mail))
    assert_page(page, 400, INVALID)
    assert form_actions(page) == [RESEND]
    before = len(sent_mails())
    (csrf,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    done = browser.post(RESEND, data={"csrfmiddlewaretoken": csrf, "email": alice.email})
    assert_page(done, 200, "Check your inbox")
    assert len(sent_mails()) == before + 1
    assert_page(submit_page(browser, last_code_mail()), 200, "E-mail address confirmed")


def test_used_link_of_an_email_change_says_already_confirmed(alice: Person, browser: httpx.Client) -> None:
    mail = change_mail(alice)
    assert_page(submit_page(browser, mail), 200, "E-mail address changed")
    assert_page(browser.get(page_path(mail)), 200, ALREADY)


def test_link_of_an_email_change_that_did_not_happen_is_invalid(
    clock: time_machine.Traveller, alice: Person, browser: httpx.Client
) -> None:
    mail = change_mail(alice)
    clock.shift(timedelta(minutes=31))
    assert_page(browser.get(page_path(mail)), 400, INVALID)


def test_used_reset_link_has_a_form_for_another_mail(alice: Person, browser: httpx.Client) -> None:
    alice.http.post("/api/password/reset/", json={"email": alice.email})
    mail = last_code_mail()
    submit_page(browser, mail, new_password=NEW, new_password_repeat=NEW)
    page = browser.get(page_path(mail))
    assert_page(page, 400, INVALID)
    assert form_actions(page) == ["/forgot-password/"]
    (csrf,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    done = browser.post("/forgot-password/", data={"csrfmiddlewaretoken": csrf, "email": alice.email})
    assert_page(done, 200, "Check your inbox")


def another(text: str) -> str:
    """Return the text with another first character."""
    return ("B" if text[0] == "A" else "A") + text[1:]


def test_nobody_learns_of_an_account_without_the_link_of_its_mail(
    alice: Person, browser: httpx.Client, mail: SentMail
) -> None:
    submit_page(browser, mail)
    ref, token = re.findall(r"ref=([^&]+)&token=(.+)", mail.link)[0]
    other = Person(alice.http, "bob@example.com").register()
    alice.http.post("/api/email/verify/resend/", json={"email": other.email})
    other_ref, other_token = re.findall(r"ref=([^&]+)&token=(.+)", last_code_mail(other.email).link)[0]
    for query in (
        f"token={token}",
        f"ref=&token={token}",
        f"ref={ref}&token={another(token)}",
        f"ref={ref}&token={other_token[::-1]}",
        f"ref={another(ref)}&token={token}",
        f"ref={other_ref}&token={token}",
        f"ref={'A' * 28}&token={token}",
        f"ref={ref}",
        f"ref={ref}x&token={token}",
        f"ref=%00%ff&token={token}",
    ):
        page = browser.get(f"/verify-email/?{query}")
        assert_page(page, 400, INVALID)
    assert_page(browser.get(f"/confirm-email/?ref={ref}&token={token}"), 400, INVALID)


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": "alice@else.example"}, {"email_verified_at": None}])
def test_used_link_is_invalid_where_the_account_has_changed_since(
    alice: Person, browser: httpx.Client, mail: SentMail, change: dict[str, Any]
) -> None:
    submit_page(browser, mail)
    User.objects.filter(pk=alice.id).update(**change)
    assert_page(browser.get(page_path(mail)), 400, INVALID)
    User.objects.filter(pk=alice.id).delete()
    assert_page(browser.get(page_path(mail)), 400, INVALID)


def test_resend_page_answers_the_same_for_every_address(alice: Person, browser: httpx.Client, mail: SentMail) -> None:
    submit_page(browser, mail)
    pages = []
    for email in (alice.email, "nobody@example.com"):
        page = browser.get(RESEND)
        (csrf,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        answer = browser.post(RESEND, data={"csrfmiddlewaretoken": csrf, "email": email})
        pages.append(answer.text)
    assert pages[0] == pages[1]
    assert [sent.kind for sent in sent_mails()] == [Purpose.EMAIL_VERIFICATION]


def test_resend_page_shows_an_address_that_is_none(browser: httpx.Client) -> None:
    page = browser.get(RESEND)
    (csrf,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    answer = browser.post(RESEND, data={"csrfmiddlewaretoken": csrf, "email": "nobody"})
    assert_page(answer, 400, "Confirm your e-mail address")
    assert '<p class="wrong" role="alert">' in answer.text


def test_reference_survives_a_damaged_link(browser: httpx.Client, mail: SentMail) -> None:
    submit_page(browser, mail)
    for damage in (".", ">", "%20", "&utm_source=mail"):
        assert_page(browser.get(f"{page_path(mail)}{damage}"), 200, ALREADY)
