"""Mail templates: text of users is escaped data, and operators can replace single templates."""

from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from latchkey.conf.templates import template_engines
from latchkey.mail.checks import SAMPLE_CONTEXT, refuse_broken_templates
from latchkey.mail.delivery import Outcome
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.render import UNVERIFIED_RECIPIENT
from tests.mail.conftest import ALICE
from tests.mail.test_delivery import DeliverDueMails, EnqueueMail
from tests.support.smtp_server import SmtpServer

SHIPPED = Path(__file__).resolve().parents[2] / "latchkey" / "templates"


@pytest.fixture
def install_templates(settings: Any, tmp_path: Path) -> Callable[..., None]:
    """Return a function that installs templates of an operator: install_templates({"password_reset.txt": "..."})."""

    def install(templates: dict[str, str]) -> None:
        folder = tmp_path / "mail"
        folder.mkdir()
        for name, text in templates.items():
            (folder / name).write_text(text)
        settings.TEMPLATES_DIR = str(tmp_path)
        settings.TEMPLATES = template_engines(str(tmp_path), SHIPPED)

    return install


def last_mail_bodies(smtp_server: SmtpServer) -> tuple[str, str]:
    """Return the text and the HTML of the last mail."""
    text, html = (smtp_server.mails[-1].get_body((kind,)) for kind in ("plain", "html"))
    assert text
    assert html
    return text.get_content(), html.get_content()


@pytest.mark.parametrize("kind", MailKind)
def test_mail_contains_every_value_of_its_context(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, kind: MailKind
) -> None:
    enqueue_mail(kind, **SAMPLE_CONTEXT)
    assert deliver_due_mails() == [Outcome.SENT]
    text, html = last_mail_bodies(configured_smtp_server)
    used = {name for name in SAMPLE_CONTEXT if f"{{{{ {name}" in (SHIPPED / "mail" / f"{kind}.txt").read_text()}
    used |= {"when", "device", "address"} if "details.txt" in (SHIPPED / "mail" / f"{kind}.txt").read_text() else set()
    assert used
    for name in used:
        assert SAMPLE_CONTEXT[name] in text
        assert SAMPLE_CONTEXT[name] in html
    assert "auth.example.com" in configured_smtp_server.mails[0]["Subject"]
    assert not [line for line in (text + html).splitlines() if "{{" in line or "{%" in line]


@pytest.mark.parametrize("kind", MailKind)
def test_mail_html_loads_no_remote_content(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, kind: MailKind
) -> None:
    enqueue_mail(kind, **SAMPLE_CONTEXT)
    deliver_due_mails()
    _, html = last_mail_bodies(configured_smtp_server)
    for word in ("<img", "<script", "<link", "<iframe", "url(", "@import", "src="):
        assert word not in html


@pytest.mark.ledger("ASVS-1.3.7", "ASVS-1.2.1")
@pytest.mark.parametrize("name", ["{{ 7*7 }}", "{% load i18n %}", "<b>Bobby</b> & 'Tables'", "O'Brien \N{SNOWMAN}"])
def test_mail_escapes_the_display_name(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, name: str
) -> None:
    named = "<" not in name
    enqueue_mail(username=name)
    assert deliver_due_mails() == [Outcome.SENT]
    text, html = last_mail_bodies(configured_smtp_server)
    assert (f"Hello {name}," in text) is named
    assert (f"Hello {name}," in unescape(html)) is named
    assert "<b>" not in html


@pytest.mark.ledger("ASVS-1.2.1")
def test_mail_escapes_html_in_user_agent_and_address(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    enqueue_mail(MailKind.NEW_DEVICE, device="<img onerror=alert(1)>", when="now", address='"><script>')
    deliver_due_mails()
    text, html = last_mail_bodies(configured_smtp_server)
    assert "<img onerror=alert(1)>" in text
    assert "&lt;img onerror=alert(1)&gt;" in html
    assert "&quot;&gt;&lt;script&gt;" in html


@pytest.mark.parametrize("name", ["www.example.org", "see https://example.org", "call me@example.org", "x" * 65])
@pytest.mark.parametrize("kind", [MailKind.PASSWORD_RESET, MailKind.REGISTRATION_OF_KNOWN_ADDRESS])
def test_mail_omits_a_display_name_that_looks_like_a_link(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    kind: MailKind,
    name: str,
) -> None:
    enqueue_mail(kind, username=name)
    deliver_due_mails()
    for part in last_mail_bodies(configured_smtp_server):
        assert name not in part
        assert "Hello," in part


@pytest.mark.parametrize("kind", sorted(UNVERIFIED_RECIPIENT))
def test_mail_to_an_unverified_email_omits_the_display_name(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, kind: MailKind
) -> None:
    enqueue_mail(kind, username="Mallory")
    deliver_due_mails()
    for part in last_mail_bodies(configured_smtp_server):
        assert "Mallory" not in part


@pytest.mark.ledger("ASVS-1.3.11", "REG-KEYCLOAK-11")
@pytest.mark.parametrize(
    "address",
    ["alice@example.com\r\nBcc: mallory@example.com", "alice@example.com,mallory@example.com", "alice@", "a b@c d"],
)
def test_mail_to_an_invalid_or_multiple_address_fails(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, address: str
) -> None:
    enqueue_mail(to=address)
    enqueue_mail(to=ALICE)
    assert deliver_due_mails() == [Outcome.FAILED, Outcome.SENT]
    assert configured_smtp_server.recipients == {ALICE: 1}
    assert Mail.objects.get(sent_at=None).last_error == "address cannot be used"


def test_mail_subject_is_one_line_without_header_injection(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    install_templates: Callable[..., None],
) -> None:
    install_templates({"password_reset.subject.txt": "For {{ username }}\nand others"})
    enqueue_mail(username="Alice\r\nBcc: mallory@example.com")
    enqueue_mail(username="Alice")
    assert deliver_due_mails() == [Outcome.SENT, Outcome.SENT]
    mail, other = configured_smtp_server.mails
    assert mail["Subject"] == "For and others"
    assert other["Subject"] == "For Alice and others"
    assert mail["Bcc"] is None


def test_mail_to_a_non_ascii_local_part_fails_and_to_an_idn_domain_is_sent(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    enqueue_mail(to="ålice@example.com")
    enqueue_mail(to="alice@exämple.com")
    assert deliver_due_mails() == [Outcome.FAILED, Outcome.SENT]
    assert configured_smtp_server.recipients == {"alice@xn--exmple-cua.com": 1}
    assert Mail.objects.get(sent_at=None).last_error == "address is not ASCII"


def test_operators_template_replaces_the_shipped_one(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    install_templates: Callable[..., None],
) -> None:
    install_templates({"password_reset.txt": "Moin! {{ link }} <{{ code }}>\n", "base.html": "<p>{{ subject }}</p>"})
    refuse_broken_templates()
    enqueue_mail()
    deliver_due_mails()
    text, html = last_mail_bodies(configured_smtp_server)
    assert text.startswith("Moin! https://auth.example.com/go/?")
    assert "<4711-0815>" in text
    assert html.strip() == "<p>Set a new password for auth.example.com</p>"
    assert configured_smtp_server.mails[0]["Subject"] == "Set a new password for auth.example.com"


@pytest.mark.parametrize("text", ["{% if %}", "{% extends 'mail/none.html' %}", "{% load nothing %}"])
def test_broken_template_is_rejected_at_startup_and_defers_its_mails(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    install_templates: Callable[..., None],
    text: str,
) -> None:
    install_templates({"password_reset.html": text})
    with pytest.raises(ImproperlyConfigured, match=r"^The templates of the mail password_reset cannot be used: .+\)$"):
        refuse_broken_templates()
    enqueue_mail()
    enqueue_mail(MailKind.NEW_DEVICE)
    assert deliver_due_mails() == [Outcome.DEFERRED, Outcome.SENT]
    row = Mail.objects.get(sent_at=None)
    assert (row.last_error, row.failed_at) == ("template is broken", None)


def test_templates_dir_that_does_not_exist_is_rejected_at_startup(settings: Any, tmp_path: Path) -> None:
    settings.TEMPLATES_DIR = str(tmp_path / "none")
    with pytest.raises(ImproperlyConfigured, match="LATCHKEY_TEMPLATES_DIR is not a readable folder"):
        refuse_broken_templates()
