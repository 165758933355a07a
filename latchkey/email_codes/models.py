"""One-time codes and links by e-mail: each for one person, one purpose, once; the database keeps digests only."""

from enum import StrEnum

from django.conf import settings
from django.db import models

from latchkey.mail.models import ADDRESS_LENGTH


class Purpose(StrEnum):
    """One thing that who reads a mailbox may do."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - no password
    EMAIL_VERIFICATION = "email_verification"
    EMAIL_CHANGE = "email_change"


LANDING_PAGES = {
    Purpose.PASSWORD_RESET: "/reset-password/",
    Purpose.EMAIL_VERIFICATION: "/verify-email/",
    Purpose.EMAIL_CHANGE: "/confirm-email/",
}


class OneTimeCode(models.Model):
    """What was sent, as digests: of the token in the link, and of the code to type.

    It is void as soon as the account's password or e-mail address is another one than when it was made:
    credential_version and email are those of then. new_email is the address that it confirms, where it does.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="codes", editable=False)
    purpose = models.CharField(max_length=20, editable=False)
    token_digest = models.BinaryField(max_length=32, unique=True)
    code_digest = models.BinaryField(max_length=32)
    email = models.CharField(max_length=ADDRESS_LENGTH, editable=False)
    new_email = models.CharField(max_length=ADDRESS_LENGTH, blank=True, editable=False)
    credential_version = models.PositiveIntegerField(editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(editable=False)

    class Meta:
        app_label = "latchkey"

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
