"""The pages behind the links of a recovery's mails: a GET changes nothing, and the button does."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.factors.delayed_recovery import FactorRecovery
from tests.email_codes.test_link_pages import assert_page, page_path, submit_page
from tests.factor_recovery.steps import DUE, Owner, cancel_token, run_worker
from tests.outbox import SentMail, last_mail
from tests.people import try_login
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes

DAY = timedelta(days=1)


@pytest.fixture
def browser(owner: Owner) -> Iterator[httpx.Client]:
    """A client that keeps cookies, as a browser does."""
    with httpx.Client(transport=owner.http._transport, base_url=owner.http.base_url) as client:
        yield client


@pytest.fixture
def warning(owner: Owner) -> SentMail:
    """The first mail of a recovery, whose link cancels."""
    owner.request()
    return last_mail(owner.person.email)


@pytest.fixture
def due(past_clock: time_machine.Traveller, warning: SentMail) -> SentMail:
    """The mail of a recovery that is due."""
    for _ in range(7):
        past_clock.shift(DAY)
        kinds = run_worker()
    assert kinds == [DUE]
    return last_mail(warning.to)


def test_recovery_page_removes_the_factors(owner: Owner, due: SentMail, browser: httpx.Client) -> None:
    with nothing_changes():
        shown = browser.get(page_path(due))
    assert_page(shown, 200, "Remove your second factors")
    assert owner.person.email in shown.text
    answer = submit_page(browser, due)
    assert_page(answer, 200, "Second factors removed")
    assert due.token not in answer.text
    assert User.objects.get().second_factors == 0
    assert try_login(owner.http).status_code == 200
    assert_page(browser.get(page_path(due)), 200, "Second factors already removed")


def test_recovery_page_of_a_cancelled_recovery_removes_nothing(
    owner: Owner, due: SentMail, browser: httpx.Client
) -> None:
    shown = browser.get(page_path(due))
    FactorRecovery.objects.all().delete()
    assert_page(browser.get(page_path(due)), 400, "This link is invalid or has expired")
    fields = {"token": due.token, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    assert shown.status_code == 200
    assert_page(browser.post("/recover-factors/", data=fields), 400, "This link is invalid or has expired")
    assert User.objects.get().second_factors == 1


def test_cancel_page_cancels_and_says_so_again(owner: Owner, warning: SentMail, browser: httpx.Client) -> None:
    with nothing_changes():
        shown = browser.get(page_path(warning))
    assert_page(shown, 200, "Cancel the recovery")
    assert owner.person.email in shown.text
    assert_page(submit_page(browser, warning), 200, "Recovery cancelled")
    assert not FactorRecovery.objects.exists()
    assert_page(browser.get(page_path(warning)), 200, "No recovery is under way")


def test_cancel_page_works_with_a_damaged_link_and_refuses_a_made_up_one(
    warning: SentMail, browser: httpx.Client
) -> None:
    token = cancel_token(warning)
    assert_page(browser.get(f"/cancel-recovery/?token={token}."), 200, "Cancel the recovery")
    for made_up in ("", "x" * 43, token[:-1]):
        answer = browser.get("/cancel-recovery/", params={"token": made_up})
        assert_page(answer, 400, "This link is invalid or has expired")
    assert FactorRecovery.objects.exists()


@pytest.mark.parametrize("path", ["/cancel-recovery/", "/recover-factors/"])
def test_recovery_pages_need_a_csrf_token(owner: Owner, warning: SentMail, path: str) -> None:
    answer = owner.http.post(path, data={"token": warning.token})
    assert_problem(answer, 403, "csrf_failed")
    assert FactorRecovery.objects.exists()
