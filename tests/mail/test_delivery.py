"""What is posted arrives: once, whole, with the headers that it should have."""

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
from tests.mail.post_office import PostOffice

Posted, GoRound = Callable[..., Mail], Callable[[], list[Outcome]]


@pytest.mark.ledger("ASVS-1.2.2")
def test_a_mail_arrives_as_text_and_as_html_with_the_link_and_the_code(
    mailing: PostOffice, posted: Posted, go_round: GoRound
) -> None:
    posted()
    assert go_round() == [Outcome.SENT]
    (mail,) = mailing.mails
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    assert CONTEXT["link"] in text.get_content()
    assert CONTEXT["link"].replace("&", "&amp;") in html.get_content()
    assert CONTEXT["code"] in text.get_content()
    assert CONTEXT["code"] in html.get_content()
    assert mailing.recipients == {ALICE: 1}


def test_the_headers_say_what_the_mail_is(mailing: PostOffice, posted: Posted, go_round: GoRound) -> None:
    row = posted()
    go_round()
    (mail,) = mailing.mails
    assert mail["From"] == "Example <no-reply@example.com>"
    assert mail["To"] == ALICE
    assert mail["Subject"] == "Set a new password for auth.example.com"
    assert mail["Message-ID"].startswith(f"<mail-{row.pk}.")
    assert mail["Message-ID"].endswith("@auth.example.com>")
    assert mail["Date"].datetime == row.created_at.replace(microsecond=0)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not {"X-Mailer", "User-Agent", "Received"} & set(mail.keys())


def test_a_mail_of_a_transaction_that_is_undone_is_never_sent(
    mailing: PostOffice, posted: Posted, go_round: GoRound
) -> None:
    with transaction.atomic():
        posted()
        transaction.set_rollback(True)
    posted(to="bob@example.com")
    assert go_round() == [Outcome.SENT]
    assert mailing.recipients == {"bob@example.com": 1}


def test_what_was_sent_is_emptied_and_told_of(mailing: PostOffice, posted: Posted, go_round: GoRound) -> None:
    row = posted()
    assert b"TOKEN-OF-ALICE" not in bytes(row.sealed)
    go_round()
    row.refresh_from_db()
    assert (row.attempts, bytes(row.sealed), row.last_error, row.failed_at) == (1, b"", "", None)
    assert row.sent_at
    event = AuditEvent.objects.get(name="mail.sent")
    assert (event.user_id, event.detail) == (1, "password_reset")
    assert go_round() == []


def test_all_mails_of_a_round_go_over_one_connection(mailing: PostOffice, posted: Posted, go_round: GoRound) -> None:
    for number in range(20):
        posted(to=f"alice{number}@example.com")
    assert go_round() == [Outcome.SENT] * 20
    assert mailing.sessions == 1
    assert set(mailing.recipients.values()) == {1}
    assert len({mail["Message-ID"] for mail in mailing.mails}) == 20


def test_nothing_that_is_due_costs_one_statement(
    mailing: PostOffice, go_round: GoRound, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    assert len(statements(go_round)) == 1


def test_a_mail_whose_link_has_expired_is_given_up(mailing: PostOffice, posted: Posted, go_round: GoRound) -> None:
    posted(expires_at=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    live = posted(expires_at=(datetime.now(UTC) + timedelta(minutes=1)).isoformat())
    assert go_round() == [Outcome.FAILED, Outcome.SENT]
    assert mailing.mails[0]["Message-ID"].startswith(f"<mail-{live.pk}.")
    assert Mail.objects.get(failed_at=None) == live
    assert Mail.objects.get(sent_at=None).last_error == "expired"


def test_without_a_server_a_mail_is_given_up_and_the_log_says_why(
    mailing: PostOffice, posted: Posted, go_round: GoRound, settings: Any
) -> None:
    settings.MAIL_SERVER = None
    row = posted()
    assert go_round() == [Outcome.FAILED]
    row.refresh_from_db()
    assert (row.last_error, bytes(row.sealed), row.sent_at) == ("EMAIL_URL is not set", b"", None)
    assert AuditEvent.objects.get(name="mail.failed").detail == "password_reset: EMAIL_URL is not set"


def test_a_mail_that_a_former_secret_sealed_is_sent_and_one_of_a_lost_secret_is_given_up(
    mailing: PostOffice, posted: Posted, go_round: GoRound, settings: Any
) -> None:
    posted()
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another secret " * 5
    settings.SECRET_KEY_FALLBACKS = [former]
    assert go_round() == [Outcome.SENT]
    posted()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a third secret " * 5, []
    assert go_round() == [Outcome.FAILED]
    assert Mail.objects.get(sent_at=None).last_error == "cannot be decrypted"


def test_old_mails_are_deleted_and_those_that_wait_are_kept(
    mailing: PostOffice, posted: Posted, go_round: GoRound
) -> None:
    with time_machine.travel(datetime.now(UTC) - timedelta(days=8), tick=False):
        posted()
        posted(expires_at=datetime.now(UTC).isoformat())
        go_round()
        waiting = posted()
    young = posted()
    young.refresh_from_db()
    Mail.objects.filter(pk=young.pk).update(sent_at=young.created_at)
    assert sum(prune(batch=1)) == 2
    assert sorted(Mail.objects.values_list("pk", flat=True)) == [waiting.pk, young.pk]


@pytest.mark.parametrize("kind", MailKind)
def test_no_row_holds_what_its_mail_says_in_the_clear(db: None, kind: MailKind) -> None:
    row = enqueue(kind, ALICE, CONTEXT)
    values = json.dumps({field.name: str(getattr(row, field.name)) for field in Mail._meta.fields})
    assert "TOKEN" not in values
    assert "4711" not in values
