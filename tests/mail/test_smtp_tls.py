"""Neither a password nor a mail goes to a server that has not proven who it is, or over a wire that can be read."""

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
HERE = "127.0.0.1"


@pytest.fixture
def trusted_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CertificateAuthority:
    """An authority that this machine trusts."""
    authority = CertificateAuthority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def start_smtp_server() -> Iterator[Callable[..., SmtpServer]]:
    """Start a server: opened(identity, signs_in=True)."""
    started: list[SmtpServer] = []

    def start(*arguments: Any, **options: Any) -> SmtpServer:
        started.append(SmtpServer(*arguments, **options).start())
        return started[-1]

    yield start
    for office in started:
        office.stop()


@pytest.fixture
def send_to(
    settings: Any, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> Callable[[str], tuple[list[Outcome], str]]:
    """Send a mail to the server of a URL; return what became of it, and the failure that was written down."""

    def send(url: str) -> tuple[list[Outcome], str]:
        settings.MAIL_SERVER = parse_email_url(url)
        row = enqueue_mail()
        outcomes = deliver_due_mails()
        return outcomes, Mail.objects.get(pk=row.pk).last_error

    return send


def smtp_userinfo(password: str = PASSWORD) -> str:
    return f"{USER}:{quote(password, safe='')}"


SendTo, StartSmtpServer = Callable[[str], tuple[list[Outcome], str]], Callable[..., SmtpServer]


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
def test_a_password_and_a_mail_go_over_tls(
    trusted_ca: CertificateAuthority, start_smtp_server: StartSmtpServer, send_to: SendTo, scheme: str, implicit: bool
) -> None:
    office = start_smtp_server(trusted_ca.server_context(HERE), signs_in=True, implicit=implicit)
    assert send_to(f"{scheme}://{smtp_userinfo()}@{HERE}:{office.port}?timeout=2") == ([Outcome.SENT], "")
    assert (office.sign_ins, len(office.mails)) == (1, 1)


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
def test_a_certificate_of_somebody_else_is_refused(
    trusted_ca: CertificateAuthority, start_smtp_server: StartSmtpServer, send_to: SendTo, scheme: str, implicit: bool
) -> None:
    refused = ([Outcome.SERVER_DOWN], "certificate not trusted")
    for identity in (
        CertificateAuthority(trusted_ca.folder, "mallory").server_context(HERE),
        trusted_ca.server_context("127.0.0.2"),
    ):
        office = start_smtp_server(identity, implicit=implicit)
        assert send_to(f"{scheme}://{HERE}:{office.port}?timeout=2") == refused
        assert office.mails == []


@pytest.mark.ledger("REG-DJANGO-12")
def test_a_server_without_starttls_is_given_nothing(start_smtp_server: StartSmtpServer, send_to: SendTo) -> None:
    office = start_smtp_server()
    assert send_to(f"smtp://{HERE}:{office.port}?timeout=2") == ([Outcome.SERVER_DOWN], "no STARTTLS, or no sign-in")
    assert office.mails == []
    assert send_to(f"smtp://{HERE}:{office.port}?timeout=2&tls=off")[0] == [Outcome.SENT]


def test_a_wrong_password_is_the_operators_to_mend_and_loses_no_mail(
    trusted_ca: CertificateAuthority, start_smtp_server: StartSmtpServer, send_to: SendTo
) -> None:
    office = start_smtp_server(trusted_ca.server_context(HERE), signs_in=True)
    url = f"smtp://{smtp_userinfo('wrong')}@{HERE}:{office.port}?timeout=2"
    assert send_to(url) == ([Outcome.SERVER_DOWN], "sign-in refused 535")
    assert Mail.objects.get().failed_at is None
