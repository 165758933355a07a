"""The closed list of mails that there are; each has its templates.

The outbox: a mail is a row in the transaction that causes it, and is sent after that has been committed.
"""

from enum import StrEnum

from django.db import models

from latchkey.core import clock


class MailKind(StrEnum):
    """What a mail is about, and the name of its templates: mail/<kind>.txt, .html and .subject.txt."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - no password
    EMAIL_VERIFICATION = "email_verification"
    EMAIL_CHANGE = "email_change"  # to the new address, which has to be confirmed
    REGISTRATION_OF_KNOWN_ADDRESS = "registration_of_known_address"
    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - no password
    EMAIL_CHANGED = "email_changed"  # to the address that it was
    SESSION_REPLAYED = "session_replayed"


ADDRESS_LENGTH = 254


class Mail(models.Model):
    """A mail that is to be sent, was sent, or was given up.

    sealed is what its template is filled with, as JSON, encrypted because that holds links and codes; it is emptied as
    soon as it is not needed any more. next_attempt_at is when it is due; whoever takes it moves that on first.
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
                condition=models.Q(sent_at=None, failed_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
