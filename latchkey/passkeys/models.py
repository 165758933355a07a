"""Database table of passkeys: the credential records of WebAuthn (Level 3 section 4, credential record)."""

from django.conf import settings
from django.db import models

from latchkey.core import clock

MAX_PASSKEYS = 20
"""Passkeys of an account: more than a person has devices, and options with all of them stay small."""

MAX_CREDENTIAL_ID = 1_023
"""Bytes of a credential id (WebAuthn Level 3 section 4)."""

MAX_PUBLIC_KEY = 1_100
"""Bytes of a public key in COSE format: RSA of 8,192 bits fits; ES256 and EdDSA need less than 80."""

NAME_LENGTH = 100
"""Characters of the name that its owner gives to a passkey."""


class Passkey(models.Model):
    """A passkey of an account: the public key, and what the authenticator said about it.

    rp_id is that of its registration, to which the authenticator binds it for good. backup_eligible is whether it may
    be synchronized between devices; that never changes. backed_up is whether it was when last used. user_verified is
    whether the authenticator has once verified its user (uvInitialized): only then can it replace a password.
    sign_count is the authenticator's counter, which stays 0 for many.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="passkeys", editable=False
    )
    credential_id = models.BinaryField(max_length=MAX_CREDENTIAL_ID, unique=True)
    public_key = models.BinaryField(max_length=MAX_PUBLIC_KEY)
    rp_id = models.CharField("RP ID", max_length=253, editable=False)
    sign_count = models.BigIntegerField(editable=False)
    transports = models.CharField(max_length=150, blank=True, editable=False)
    aaguid = models.UUIDField("AAGUID", editable=False)
    backup_eligible = models.BooleanField(editable=False)
    backed_up = models.BooleanField(editable=False)
    user_verified = models.BooleanField(editable=False)
    name = models.CharField(max_length=NAME_LENGTH)
    created_at = models.DateTimeField("added", default=clock.now, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        app_label = "latchkey"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"passkey {self.pk}"
