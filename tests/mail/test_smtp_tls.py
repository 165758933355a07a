"""TLS of SMTP: no password and no mail is sent to a server with an untrusted certificate or without encryption."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from latchkey.conf.email import parse_email_url
from latchkey.mail.delivery import Outcome
from latchkey.mail.models import Mail
from tests.mail.test_delivery import DeliverDueMails, EnqueueMail
from tests.support.certificates import CertificateAuthority
from tests.support.smtp_server import PASSWORD, USER, SmtpServer

pytestmark = pytest.mark.ledger("ASVS-12.3.1", "ASVS-12.3.2")
LOOPBACK = "127.0.0.1"


@pytest.fixture
def trusted_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CertificateAuthority:
    """A certificate authority that this process trusts."""
    authority = CertificateAuthority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def start_smtp_server() -> Iterator[Callable[..., SmtpServer]]:
    """Return a function that starts a server: start_smtp_server(context, requires_login=True)."""
    started: list[SmtpServer] = []

    def start(*arguments: Any, **options: Any) -> SmtpServer:
        started.append(SmtpServer(*arguments, **options).start())
        return started[-1]

    yield start
    for smtp in started:
        smtp.stop()


@pytest.fixture
def send_to(
    settings: Any, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> Callable[[str], tuple[list[Outcome], str]]:
    """Return a function that sends a mail to the server of a URL and returns the outcomes and the stored error."""

    def send(url: str) -> tuple[list[Outcome], str]:
        settings.MAIL_SERVER = parse_email_url(url)
        row = enqueue_mail()
        outcomes = deliver_due_mails()
        return outcomes, Mail.objects.get(pk=row.pk).last_error

    return send


def smtp_userinfo(password: str = PASSWORD) -> str:
    return f"{USER}:{quote(password, safe='')}"


SendTo = Callable[[str], tuple[list[Outcome], str]]
StartSmtpServer = Callable[..., SmtpServer]


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
def test_smtp_login_and_mail_use_tls(
    trusted_ca: CertificateAuthority, start_smtp_server: StartSmtpServer, send_to: SendTo, scheme: str, implicit: bool
) -> None:
    smtp = start_smtp_server(trusted_ca.server_context(LOOPBACK), requires_login=True, implicit=implicit)
    assert send_to(f"{scheme}://{smtp_userinfo()}@{LOOPBACK}:{smtp.port}?timeout=2") == ([Outcome.SENT], "")
    assert (smtp.logins, len(smtp.mails)) == (1, 1)


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
def test_smtp_server_with_an_untrusted_certificate_gets_no_mail(
    trusted_ca: CertificateAuthority, start_smtp_server: StartSmtpServer, send_to: SendTo, scheme: str, implicit: bool
) -> None:
    rejected = ([Outcome.SERVER_DOWN], "certificate not trusted")
    for identity in (
        CertificateAuthority(trusted_ca.folder, "mallory").server_context(LOOPBACK),
        trusted_ca.server_context("127.0.0.2"),
    ):
        smtp = start_smtp_server(identity, implicit=implicit)
        assert send_to(f"{scheme}://{LOOPBACK}:{smtp.port}?timeout=2") == rejected
        assert smtp.mails == []


@pytest.mark.ledger("REG-DJANGO-12")
def test_smtp_server_without_starttls_gets_no_mail_unless_tls_is_off(
    start_smtp_server: StartSmtpServer, send_to: SendTo
) -> None:
    smtp = start_smtp_server()
    assert send_to(f"smtp://{LOOPBACK}:{smtp.port}?timeout=2") == ([Outcome.SERVER_DOWN], "no STARTTLS, or no sign-in")
    assert smtp.mails == []
    assert send_to(f"smtp://{LOOPBACK}:{smtp.port}?timeout=2&tls=off")[0] == [Outcome.SENT]


def test_smtp_login_with_a_wrong_password_defers_the_mail(
    trusted_ca: CertificateAuthority, start_smtp_server: StartSmtpServer, send_to: SendTo
) -> None:
    smtp = start_smtp_server(trusted_ca.server_context(LOOPBACK), requires_login=True)
    url = f"smtp://{smtp_userinfo('wrong')}@{LOOPBACK}:{smtp.port}?timeout=2"
    assert send_to(url) == ([Outcome.SERVER_DOWN], "sign-in refused 535")
    assert Mail.objects.get().failed_at is None
