"""Neither a password nor a mail goes to a server that has not proven who it is, or over a wire that can be read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from latchkey.conf.email import parse_email_url
from latchkey.mail.delivery import Outcome
from latchkey.mail.models import Mail
from tests.mail.post_office import PASSWORD, USER, PostOffice
from tests.mail.test_delivery import GoRound, Posted
from tests.operations.certificates import Authority

pytestmark = pytest.mark.ledger("ASVS-12.3.1", "ASVS-12.3.2")
HERE = "127.0.0.1"


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this machine trusts."""
    authority = Authority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def opened() -> Iterator[Callable[..., PostOffice]]:
    """Start a server: opened(identity, signs_in=True)."""
    started: list[PostOffice] = []

    def start(*arguments: Any, **options: Any) -> PostOffice:
        started.append(PostOffice(*arguments, **options).start())
        return started[-1]

    yield start
    for office in started:
        office.stop()


@pytest.fixture
def sent_to(settings: Any, posted: Posted, go_round: GoRound) -> Callable[[str], tuple[list[Outcome], str]]:
    """Send a mail to the server of a URL; return what became of it, and the failure that was written down."""

    def send(url: str) -> tuple[list[Outcome], str]:
        settings.MAIL_SERVER = parse_email_url(url)
        row = posted()
        outcomes = go_round()
        return outcomes, Mail.objects.get(pk=row.pk).last_error

    return send


def signing_in(password: str = PASSWORD) -> str:
    return f"{USER}:{quote(password, safe='')}"


SentTo, Opened = Callable[[str], tuple[list[Outcome], str]], Callable[..., PostOffice]


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
def test_a_password_and_a_mail_go_over_tls(
    trusted: Authority, opened: Opened, sent_to: SentTo, scheme: str, implicit: bool
) -> None:
    office = opened(trusted.identity(HERE), signs_in=True, implicit=implicit)
    assert sent_to(f"{scheme}://{signing_in()}@{HERE}:{office.port}?timeout=2") == ([Outcome.SENT], "")
    assert (office.sign_ins, len(office.mails)) == (1, 1)


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
def test_a_certificate_of_somebody_else_is_refused(
    trusted: Authority, opened: Opened, sent_to: SentTo, scheme: str, implicit: bool
) -> None:
    refused = ([Outcome.SERVER_DOWN], "certificate not trusted")
    for identity in (Authority(trusted.folder, "mallory").identity(HERE), trusted.identity("127.0.0.2")):
        office = opened(identity, implicit=implicit)
        assert sent_to(f"{scheme}://{HERE}:{office.port}?timeout=2") == refused
        assert office.mails == []


@pytest.mark.ledger("REG-DJANGO-12")
def test_a_server_without_starttls_is_given_nothing(opened: Opened, sent_to: SentTo) -> None:
    office = opened()
    assert sent_to(f"smtp://{HERE}:{office.port}?timeout=2") == ([Outcome.SERVER_DOWN], "no STARTTLS, or no sign-in")
    assert office.mails == []
    assert sent_to(f"smtp://{HERE}:{office.port}?timeout=2&tls=off")[0] == [Outcome.SENT]


def test_a_wrong_password_is_the_operators_to_mend_and_loses_no_mail(
    trusted: Authority, opened: Opened, sent_to: SentTo
) -> None:
    office = opened(trusted.identity(HERE), signs_in=True)
    url = f"smtp://{signing_in('wrong')}@{HERE}:{office.port}?timeout=2"
    assert sent_to(url) == ([Outcome.SERVER_DOWN], "sign-in refused 535")
    assert Mail.objects.get().failed_at is None
