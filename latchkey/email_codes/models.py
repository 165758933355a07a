"""One-time codes and links by e-mail (NIST SP 800-63B-4 "out-of-band"), stored as digests.

Each is for one account and one purpose, and can be used once. A magic link for sign-in is not offered: a link or a code
resets a password, verifies an address or removes second factors, and opens no session.
"""

from enum import StrEnum

from django.conf import settings
from django.db import models

from latchkey.conf.web_urls import MAX_LENGTH as REDIRECT_LENGTH
from latchkey.mail.models import ADDRESS_LENGTH


class Purpose(StrEnum):
    """What a code is for: the one thing that a person with access to the mailbox may do with it."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - no password
    EMAIL_VERIFICATION = "email_verification"
    EMAIL_CHANGE = "email_change"
    FACTOR_RECOVERY = "factor_recovery"


LANDING_PAGES = {
    Purpose.PASSWORD_RESET: "/reset-password/",
    Purpose.EMAIL_VERIFICATION: "/verify-email/",
    Purpose.EMAIL_CHANGE: "/confirm-email/",
    Purpose.FACTOR_RECOVERY: "/recover-factors/",
}
"""The page that the link of a mail leads to."""


class OneTimeCode(models.Model):
    """A link and a code that were sent, as digests: of the link's token, and of the code to type.

    The secrets themselves are in the mail only, so a leaked table resets no password. credential_version and email are
    those of the account when the mail was written: both secrets become invalid as soon as the account has others.
    new_email is the address that a change of e-mail address confirms, else empty. redirect_to is where the page of the
    link leads after success, if the request for the mail said so.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="codes", editable=False)
    purpose = models.CharField(max_length=20, editable=False)
    token_digest = models.BinaryField(max_length=32, unique=True)
    code_digest = models.BinaryField(max_length=32)
    email = models.CharField(max_length=ADDRESS_LENGTH, editable=False)
    new_email = models.CharField(max_length=ADDRESS_LENGTH, blank=True, editable=False)
    redirect_to = models.CharField(  # noqa: DJ001 - nodes of the version before insert rows without it
        max_length=REDIRECT_LENGTH, null=True, blank=True, editable=False
    )
    credential_version = models.PositiveIntegerField(editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(editable=False)

    class Meta:
        app_label = "latchkey"

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
