"""Delivery of mails: once, complete, with the right headers, and without a trace of the content afterwards."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction

from latchkey.audit.models import AuditEvent
from latchkey.mail.delivery import Outcome
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import enqueue
from latchkey.mail.prune import prune
from tests.mail.conftest import ALICE, CONTEXT
from tests.support.smtp_server import SmtpServer

EnqueueMail = Callable[..., Mail]
DeliverDueMails = Callable[[], list[Outcome]]


@pytest.mark.ledger("ASVS-1.2.2")
def test_delivered_mail_has_text_and_html_with_link_and_code(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    enqueue_mail()
    assert deliver_due_mails() == [Outcome.SENT]
    (mail,) = configured_smtp_server.mails
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    assert CONTEXT["link"] in text.get_content()
    assert CONTEXT["link"].replace("&", "&amp;") in html.get_content()
    assert CONTEXT["code"] in text.get_content()
    assert CONTEXT["code"] in html.get_content()
    assert configured_smtp_server.recipients == {ALICE: 1}


def test_delivered_mail_has_from_to_subject_message_id_date_and_auto_submitted(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    row = enqueue_mail()
    deliver_due_mails()
    (mail,) = configured_smtp_server.mails
    assert mail["From"] == "Example <no-reply@example.com>"
    assert mail["To"] == ALICE
    assert mail["Subject"] == "Set a new password for auth.example.com"
    assert mail["Message-ID"].startswith(f"<mail-{row.pk}.")
    assert mail["Message-ID"].endswith("@auth.example.com>")
    assert mail["Date"].datetime == row.created_at.replace(microsecond=0)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not {"X-Mailer", "User-Agent", "Received"} & set(mail.keys())


def test_mail_of_a_transaction_that_is_rolled_back_is_not_delivered(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    with transaction.atomic():
        enqueue_mail()
        transaction.set_rollback(True)
    enqueue_mail(to="bob@example.com")
    assert deliver_due_mails() == [Outcome.SENT]
    assert configured_smtp_server.recipients == {"bob@example.com": 1}


def test_delivered_mail_loses_its_context_and_records_an_event(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    row = enqueue_mail()
    assert b"TOKEN-OF-ALICE" not in bytes(row.encrypted_context)
    deliver_due_mails()
    row.refresh_from_db()
    assert (row.attempts, bytes(row.encrypted_context), row.last_error, row.failed_at) == (1, b"", "", None)
    assert row.sent_at
    event = AuditEvent.objects.get(name="mail.sent")
    assert (event.user_id, event.detail) == (1, "password_reset")
    assert deliver_due_mails() == []


def test_delivery_of_20_mails_uses_one_smtp_connection(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    for number in range(20):
        enqueue_mail(to=f"alice{number}@example.com")
    assert deliver_due_mails() == [Outcome.SENT] * 20
    assert configured_smtp_server.sessions == 1
    assert set(configured_smtp_server.recipients.values()) == {1}
    assert len({mail["Message-ID"] for mail in configured_smtp_server.mails}) == 20


def test_delivery_without_due_mails_takes_one_statement(
    configured_smtp_server: SmtpServer,
    deliver_due_mails: DeliverDueMails,
    statements: Callable[[Callable[[], Any]], list[str]],
) -> None:
    assert len(statements(deliver_due_mails)) == 1


def test_delivery_of_a_mail_with_an_expired_link_fails(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    enqueue_mail(expires_at=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    live = enqueue_mail(expires_at=(datetime.now(UTC) + timedelta(minutes=1)).isoformat())
    assert deliver_due_mails() == [Outcome.FAILED, Outcome.SENT]
    assert configured_smtp_server.mails[0]["Message-ID"].startswith(f"<mail-{live.pk}.")
    assert Mail.objects.get(failed_at=None) == live
    assert Mail.objects.get(sent_at=None).last_error == "expired"


def test_delivery_without_a_mail_server_fails_with_a_reason(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, settings: Any
) -> None:
    settings.MAIL_SERVER = None
    row = enqueue_mail()
    assert deliver_due_mails() == [Outcome.FAILED]
    row.refresh_from_db()
    assert (row.last_error, bytes(row.encrypted_context), row.sent_at) == ("EMAIL_URL is not set", b"", None)
    assert AuditEvent.objects.get(name="mail.failed").detail == "password_reset: EMAIL_URL is not set"


def test_delivery_decrypts_with_fallback_secret_keys_and_fails_without_the_key(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, settings: Any
) -> None:
    enqueue_mail()
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another secret " * 5
    settings.SECRET_KEY_FALLBACKS = [former]
    assert deliver_due_mails() == [Outcome.SENT]
    enqueue_mail()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a third secret " * 5, []
    assert deliver_due_mails() == [Outcome.FAILED]
    assert Mail.objects.get(sent_at=None).last_error == "cannot be decrypted"


def test_prune_deletes_old_finished_mails_and_keeps_waiting_ones(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    with time_machine.travel(datetime.now(UTC) - timedelta(days=8), tick=False):
        enqueue_mail()
        enqueue_mail(expires_at=datetime.now(UTC).isoformat())
        deliver_due_mails()
        waiting = enqueue_mail()
    young = enqueue_mail()
    young.refresh_from_db()
    Mail.objects.filter(pk=young.pk).update(sent_at=young.created_at)
    assert sum(prune(batch=1)) == 2
    assert sorted(Mail.objects.values_list("pk", flat=True)) == [waiting.pk, young.pk]


@pytest.mark.parametrize("kind", MailKind)
def test_mail_row_contains_no_plaintext_context(db: None, kind: MailKind) -> None:
    row = enqueue(kind, ALICE, CONTEXT)
    values = json.dumps({field.name: str(getattr(row, field.name)) for field in Mail._meta.fields})
    assert "TOKEN" not in values
    assert "4711" not in values
