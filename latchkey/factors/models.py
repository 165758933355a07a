"""Database tables of second factors: secrets of authenticator apps, encrypted, and digests of recovery codes.

A leaked database contains neither a secret nor a code: the keys are derived from the secret key, which is not in it.
"""

from django.conf import settings
from django.db import models

from latchkey.core import clock
from latchkey.core.crypto import Encryptor

TOTP_ENCRYPTION = Encryptor("totp")


class TotpSecret(models.Model):
    """The secret that a user's authenticator app and this service share (RFC 6238): one a user.

    It is pending while confirmed_at is null, and no factor yet: the next enrolment replaces it. last_step is the time
    step of the last code that was accepted, Unix time divided by 30; only codes of later steps are accepted.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="totp", primary_key=True, editable=False
    )
    secret = models.BinaryField()
    last_step = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        app_label = "latchkey"
        db_table = "latchkey_totp"

    def __str__(self) -> str:
        return f"authenticator app of user {self.pk}"


class RecoveryCode(models.Model):
    """A recovery code that can still be used, as a keyed digest of 32 bytes. Using it deletes the row."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="recovery_codes",
        db_index=False,  # the constraint below has an index that begins with it
        editable=False,
    )
    digest = models.BinaryField(max_length=32)

    class Meta:
        app_label = "latchkey"
        db_table = "latchkey_recovery_code"
        constraints = (models.UniqueConstraint(fields=("user", "digest"), name="latchkey_recovery_code_digest"),)

    def __str__(self) -> str:
        return f"recovery code {self.pk}"
