"""Database table of the key pairs that sign access tokens, with their private keys encrypted at rest.

A leaked database signs nothing: the encryption key is derived from the secret key, which is not in the database.
"""

from django.db import models

from latchkey.core.crypto import Encryptor
from latchkey.signing_keys.schedule import KeySchedule

PRIVATE_KEY_ENCRYPTION = Encryptor("signing key")


class SigningKey(models.Model):
    """A key pair: the public key as a JWK, the private key encrypted, and the times of its schedule.

    `number` is the next free number. Two nodes that add a key at the same time choose the same one, and the primary key
    lets only one of them succeed.
    """

    number = models.PositiveIntegerField(primary_key=True)
    kid = models.CharField(max_length=43, unique=True)
    algorithm = models.CharField(max_length=8)
    public = models.TextField()
    private = models.BinaryField()
    created_at = models.DateTimeField()
    signs_from = models.DateTimeField()
    retires_at = models.DateTimeField(null=True)
    verifies_until = models.DateTimeField(null=True)

    class Meta:
        app_label = "latchkey"

    def __str__(self) -> str:
        return f"signing key {self.kid}"

    @property
    def schedule(self) -> KeySchedule:
        """Return when the key signs and verifies."""
        return KeySchedule(self.signs_from, self.retires_at, self.verifies_until)
