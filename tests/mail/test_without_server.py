"""Without a mail server no answer promises a mail: 503, the same whether an address has an account or not."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.mail.models import Mail
from tests.mail.test_delivery import DeliverDueMails, EnqueueMail
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.captured_log import CapturedLog


@pytest.fixture(autouse=True)
def no_mail_server(alice: Person, settings: Any) -> None:
    settings.MAIL_SERVER = None


@pytest.mark.parametrize("path", ["/api/password/reset/", "/api/email/verify/resend/"])
def test_requests_for_a_mail_get_503_whether_there_is_an_account_or_not(
    http: httpx.Client, alice: Person, path: str
) -> None:
    answers = [http.post(path, json={"email": email}) for email in (alice.email, "nobody@example.com") * 30]
    for answer in answers:
        assert_problem(answer, 503, "unavailable")
        assert answer.headers["Retry-After"] == "60"
    assert len({answer.content for answer in answers}) == 1
    assert not Mail.objects.exists()


def test_change_of_address_gets_503_before_the_password_is_looked_at(alice: Person) -> None:
    for password in (alice.password, "wrong"):
        body = {"email": "new@example.com", "password": password}
        answer = alice.http.post("/api/email/change/", json=body, headers=alice.bearer())
        assert_problem(answer, 503, "unavailable")


def test_registration_gets_503_while_verification_is_required(
    http: httpx.Client, alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="required")
    for email in (alice.email, "bob@example.com"):
        assert_problem(http.post("/api/register/", json={"email": email, "password": PASSWORD}), 503, "unavailable")
    assert User.objects.filter(email="bob@example.com").count() == 0
    set_policy(email_verification="optional")
    assert http.post("/api/register/", json={"email": "bob@example.com", "password": PASSWORD}).status_code == 201


def test_page_of_the_forgotten_password_says_that_no_mail_can_be_sent(http: httpx.Client, alice: Person) -> None:
    http.get("/forgot-password/")
    for email in (alice.email, "nobody@example.com"):
        form = {"email": email, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        page = http.post("/forgot-password/", data=form, headers={"Origin": "http://127.0.0.1:8000"})
        assert page.status_code == 503
        assert "Unavailable" in page.text
        assert "Check your inbox" not in page.text


def test_mail_that_is_given_up_is_a_warning_in_the_log(
    captured_log: CapturedLog, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    enqueue_mail()
    deliver_due_mails()
    (line,) = captured_log.lines("mail.failed")
    assert line["level"] == "warning"
    assert line["reason"] == "password_reset: EMAIL_URL is not set"
