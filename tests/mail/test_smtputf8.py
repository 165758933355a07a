"""Addresses with letters beyond ASCII before the @: sent with SMTPUTF8 where the server offers it (RFC 6531)."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.conf.email import parse_email_url
from latchkey.mail.delivery import Outcome
from latchkey.mail.models import Mail
from tests.mail.conftest import ALICE, CONTEXT
from tests.mail.test_delivery import DeliverDueMails, EnqueueMail
from tests.people import Person, try_login, try_register
from tests.problems import assert_problem
from tests.support.smtp_server import SmtpServer

ZOE = "zoë@example.com"


@pytest.fixture
def utf8_server(db: None, settings: Any) -> Iterator[SmtpServer]:
    """An SMTP server with SMTPUTF8 that this process is configured with."""
    server = SmtpServer(smtputf8=True).start()
    settings.MAIL_SERVER = parse_email_url(server.url)
    yield server
    server.stop()


def test_mail_to_an_address_beyond_ascii_is_sent_where_the_server_offers_smtputf8(
    utf8_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    for to in (ZOE, ALICE, "zoë@bücher.example", "δοκιμή@example.com", "alice@bücher.example"):
        enqueue_mail(to=to, username="Zoë")
    assert deliver_due_mails() == [Outcome.SENT] * 5
    assert list(utf8_server.recipients) == [
        *(ZOE, ALICE, "zoë@xn--bcher-kva.example", "δοκιμή@example.com", "alice@xn--bcher-kva.example")
    ]
    raw = utf8_server.mails[0].as_bytes()
    assert b"To: zo\xc3\xab@example.com\r\n" in raw
    assert utf8_server.mails[0]["From"] == utf8_server.mails[1]["From"]
    assert utf8_server.mails[0]["Subject"] == utf8_server.mails[1]["Subject"]
    for kind in ("plain", "html"):
        bodies = [mail.get_body((kind,)) for mail in utf8_server.mails[:2]]
        texts = [body.get_content().replace("\r\n", "\n") for body in bodies if body]
        assert texts[0] == texts[1]
        assert "Hello Zoë," in texts[0]
    assert CONTEXT["code"] in texts[0]
    assert utf8_server.sessions == 1


def test_mail_to_an_address_beyond_ascii_fails_alone_where_the_server_does_not_offer_smtputf8(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    enqueue_mail(to=ZOE)
    enqueue_mail(to=ALICE)
    assert deliver_due_mails() == [Outcome.FAILED, Outcome.SENT]
    assert Mail.objects.get(sent_at=None).last_error == "address is not ASCII"
    assert configured_smtp_server.recipients == {ALICE: 1}


def test_refused_address_beyond_ascii_fails_as_any_other(
    utf8_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    utf8_server.on_recipient = lambda server, address: "550 no" if address == ZOE else None
    enqueue_mail(to=ZOE)
    enqueue_mail(to=ALICE)
    assert deliver_due_mails() == [Outcome.FAILED, Outcome.SENT]
    assert Mail.objects.get(sent_at=None).last_error == "refused 550"


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_registration_with_verification_refuses_an_address_that_no_mail_can_reach(
    http: httpx.Client, set_policy: Callable[..., None], mode: str
) -> None:
    set_policy(email_verification=mode)
    answer = try_register(http, ZOE)
    assert_problem(answer, 400, "invalid", ["email"])
    assert "letters before the at sign" in answer.json()["errors"]["email"][0]
    assert not User.objects.exists()
    assert not Mail.objects.exists()
    assert try_register(http, "zoe@bücher.example").status_code in (201, 202)


def test_registration_without_verification_takes_the_address(http: httpx.Client) -> None:
    assert try_register(http, ZOE).status_code == 201
    assert try_login(http, ZOE).status_code == 200


def test_registration_with_verification_works_for_an_address_beyond_ascii_where_the_operator_says_so(
    http: httpx.Client,
    set_policy: Callable[..., None],
    settings: Any,
    utf8_server: SmtpServer,
    deliver_due_mails: DeliverDueMails,
) -> None:
    from tests.outbox import last_code_mail

    settings.EMAIL_SMTPUTF8 = True
    set_policy(email_verification="required")
    assert try_register(http, ZOE).status_code == 202
    code = last_code_mail(ZOE)
    assert deliver_due_mails() == [Outcome.SENT]
    assert utf8_server.recipients == {ZOE: 1}
    assert_problem(try_login(http, ZOE), 403, "email_not_verified")
    assert http.post("/api/email/verify/", json=code.code_fields).status_code == 200
    assert try_login(http, ZOE).status_code == 200


def test_change_of_address_refuses_an_address_that_no_mail_can_reach(alice: Person, settings: Any) -> None:
    body = {"email": ZOE, "password": alice.password}
    assert_problem(alice.http.post("/api/email/change/", json=body, headers=alice.bearer()), 400, "invalid", ["email"])
    assert not Mail.objects.exists()
    settings.EMAIL_SMTPUTF8 = True
    assert alice.http.post("/api/email/change/", json=body, headers=alice.bearer()).status_code == 202
