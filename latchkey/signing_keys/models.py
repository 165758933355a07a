"""Private keys at rest: a leaked database signs nothing.

The key ring: a row for each key pair that signs access tokens, or did.
"""

from django.db import models

from latchkey.core.crypto import Encryptor
from latchkey.signing_keys.schedule import KeySchedule

PRIVATE_KEY_ENCRYPTION = Encryptor("signing key")


class SigningKey(models.Model):
    """A key pair: its public half in the clear, the private half encrypted under a key that the database has not.

    The number is the next one that is free. Two nodes that add a key at once want the same one, and the primary key
    lets one of them have it.
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
        return KeySchedule(self.signs_from, self.retires_at, self.verifies_until)
