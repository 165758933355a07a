"""Notices about second factors: every change is mailed to the owner, with what it was."""

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.core import clock as clocks
from latchkey.factors.changes import reset_factors
from latchkey.mail.delivery import Outcome
from latchkey.mail.models import Mail, MailKind
from tests.factors.apps import App, add_app, request_ticket, try_second_factor
from tests.mail.test_delivery import DeliverDueMails, EnqueueMail
from tests.mail.test_notices import notice_kinds
from tests.mail.test_templates import last_mail_bodies
from tests.outbox import decrypt_context
from tests.people import Person
from tests.support.smtp_server import SmtpServer


@pytest.fixture
def alice(configured_smtp_server: SmtpServer, clock: time_machine.Traveller, http: httpx.Client) -> Person:
    """A person with a verified address who has just signed in; the clock stands still."""
    person = Person(http, "alice@example.com").register().login()
    User.objects.update(email_verified_at=clocks.now())
    return person


@pytest.fixture
def app(alice: Person) -> App:
    return add_app(alice)


@pytest.mark.ledger("ASVS-6.3.7", "NIST-4.6", "NIST-4.1.2")
def test_added_and_removed_apps_are_mailed(alice: Person, app: App) -> None:
    assert notice_kinds() == ["factor_added"]
    assert alice.http.delete("/api/me/totp/", headers=alice.bearer()).status_code == 204
    assert notice_kinds() == ["factor_removed"]
    assert {decrypt_context(mail)["factor"] for mail in Mail.objects.all()} == {"totp"}


@pytest.mark.ledger("NIST-4.6")
def test_used_and_renewed_recovery_codes_are_mailed_with_how_many_are_left(alice: Person, app: App) -> None:
    notice_kinds()
    for code in app.recovery_codes[:7]:
        assert try_second_factor(alice.http, request_ticket(alice), recovery_code=code).status_code == 200
    assert notice_kinds() == ["recovery_code_used"] * 7
    contexts = [decrypt_context(mail) for mail in Mail.objects.filter(kind="recovery_code_used").order_by("pk")]
    assert [each["left"] for each in contexts] == ["9", "8", "7", "6", "5", "4", "3"]
    assert [each["few"] for each in contexts] == [""] * 6 + ["yes"]
    assert alice.http.post("/api/me/recovery-codes/", headers=alice.bearer()).status_code == 200
    assert notice_kinds() == ["recovery_codes_renewed"]


@pytest.mark.ledger("NIST-4.6")
def test_reset_by_an_operator_is_mailed_without_the_words_of_the_operator(
    alice: Person, app: App, configured_smtp_server: SmtpServer, deliver_due_mails: DeliverDueMails
) -> None:
    notice_kinds()
    Mail.objects.all().delete()
    reset_factors(User.objects.get(), COMMAND_LINE, "lost her phone, says Bob")
    assert notice_kinds() == ["factor_reset"]
    assert deliver_due_mails() == [Outcome.SENT]
    text, html = last_mail_bodies(configured_smtp_server)
    assert "The authenticator app, the passkeys and the recovery codes of your account" in text
    assert "Bob" not in text + html


def test_notice_of_a_factor_event_with_an_unknown_detail_says_less(alice: Person) -> None:
    """A version beside this one may write another detail."""
    AuditEvent.objects.create(
        name="recovery_code.used", user_id=alice.id, detail="some left", notification_pending=True
    )
    assert notice_kinds() == ["recovery_code_used"]
    assert "left" not in decrypt_context(Mail.objects.latest("pk"))


@pytest.mark.parametrize(
    ("notice", "sentence"),
    [
        ((MailKind.FACTOR_ADDED, {"factor": "totp"}), "An authenticator app was added to your account at"),
        ((MailKind.FACTOR_ADDED, {"factor": "passkey"}), "A passkey was added to your account at"),
        ((MailKind.FACTOR_REMOVED, {"factor": "totp"}), "The authenticator app was removed from your account at"),
        ((MailKind.FACTOR_REMOVED, {"factor": "passkey"}), "A passkey was removed from your account at"),
        ((MailKind.RECOVERY_CODE_USED, {"left": "9", "few": ""}), "Recovery codes that are left: 9."),
        ((MailKind.RECOVERY_CODE_USED, {"left": "3", "few": "yes"}), "left: 3. Make new ones soon, after a sign-in."),
    ],
)
def test_mail_about_a_factor_says_which_and_how_many_are_left(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    notice: tuple[MailKind, dict[str, str]],
    sentence: str,
) -> None:
    kind, context = notice
    enqueue_mail(kind, **context)
    assert deliver_due_mails() == [Outcome.SENT]
    for part in last_mail_bodies(configured_smtp_server):
        assert sentence in part
        assert ("Make new ones" in part) is (context.get("few") == "yes")
