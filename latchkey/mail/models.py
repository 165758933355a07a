"""The outbox table, and the closed list of mails: each kind has its templates.

A mail is a row, written in the transaction that causes it, and is sent after the commit.
"""

from datetime import datetime
from enum import StrEnum

from django.db import models

from latchkey.core import clock


class MailKind(StrEnum):
    """The kind of a mail, and the name of its templates: mail/<kind>.txt, .html and .subject.txt."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - no password
    EMAIL_VERIFICATION = "email_verification"
    EMAIL_CHANGE = "email_change"  # to the new address, to be confirmed
    REGISTRATION_OF_KNOWN_ADDRESS = "registration_of_known_address"
    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - no password
    EMAIL_CHANGED = "email_changed"  # to the old address
    SESSION_REPLAYED = "session_replayed"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_RESET = "factor_reset"
    RECOVERY_CODE_USED = "recovery_code_used"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    API_KEY_CREATED = "api_key_created"
    FACTOR_RECOVERY_REQUESTED = "factor_recovery_requested"  # at once, and each day until it is due
    FACTOR_RECOVERY = "factor_recovery"
    INVITATION = "invitation"  # to the user of an account that an application has created


class MailState(StrEnum):
    """The state of a mail. It is derived from sent_at and failed_at, so that no column can contradict them."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


STATE_FILTERS = {
    MailState.WAITING: models.Q(sent_at=None, failed_at=None),
    MailState.SENT: models.Q(sent_at__isnull=False),
    MailState.FAILED: models.Q(failed_at__isnull=False),
}
"""The mails of each state: Mail.state as a Q. The partial index has the waiting ones."""

ADDRESS_LENGTH = 254
"""Characters of an e-mail address, as in accounts.models."""


class Mail(models.Model):
    """A mail in the outbox: waiting, sent, or failed for good.

    encrypted_context has the values for its template, as JSON, encrypted because they include links and codes; it is
    emptied as soon as the mail is sent or has failed. next_attempt_at is when it is due; a worker that claims the mail
    moves it on first, so that no other one claims it.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40, editable=False)
    to_address = models.CharField("to", max_length=ADDRESS_LENGTH, editable=False)
    encrypted_context = models.BinaryField()
    user_id = models.BigIntegerField("user", null=True, editable=False)
    created_at = models.DateTimeField("written", default=clock.now, editable=False)
    next_attempt_at = models.DateTimeField("due", default=clock.now, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    sent_at = models.DateTimeField("sent", null=True, editable=False)
    failed_at = models.DateTimeField("failed", null=True, editable=False)
    last_error = models.CharField(max_length=100, blank=True, editable=False)

    class Meta:
        app_label = "latchkey"
        verbose_name = "mail"
        indexes = (
            models.Index("user_id", name="latchkey_mail_of_user"),
            models.Index(
                "next_attempt_at",
                name="latchkey_mail_waiting",
                condition=STATE_FILTERS[MailState.WAITING],
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def state(self) -> MailState:
        """The state that the two dates say."""
        return MailState.SENT if self.sent_at else MailState.FAILED if self.failed_at else MailState.WAITING

    @property
    def state_since(self) -> datetime:
        """When the mail was sent or failed for good; of a waiting one, when it was written."""
        return self.sent_at or self.failed_at or self.created_at
