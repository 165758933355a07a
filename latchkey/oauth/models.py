"""The services behind us that may ask about tokens, each known by a name and a secret."""

import re
from hashlib import sha256
from typing import ClassVar

from django.db import models

from latchkey.core import clock
from latchkey.db.statements import fetch_all

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a service can be called: a client_id (RFC 6749 appendix A.1) that needs no encoding anywhere."""

_MATCH = "SELECT 1 FROM latchkey_clientcredential WHERE digest = %(digest)s AND client_id = %(client_id)s"


def hash_secret(secret: str) -> bytes:
    """Return what the database keeps of a secret: 32 bytes.

    Nobody can try out 256 random bits, so one round of SHA-256 tells a thief of the database nothing; Argon2 would
    cost a service 14 ms for each question. No key goes in: a new secret key of ours must not shut the services out.
    """
    return sha256(secret.encode()).digest()


class ClientCredentialManager(models.Manager["ClientCredential"]):
    def matches(self, client_id: str, secret: str) -> bool:
        """Tell whether this is a secret of this service, in one statement, whichever of the two is wrong.

        The database looks for a digest. What its time could tell of that is no step towards the secret.
        """
        return bool(fetch_all(_MATCH, {"digest": hash_secret(secret), "client_id": client_id}))


class ClientCredential(models.Model):
    """One secret of a service; while it changes from one to the next, a service has two."""

    client_id = models.CharField("service", max_length=64, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField("added", default=clock.now, editable=False)

    objects: ClassVar[ClientCredentialManager] = ClientCredentialManager()

    class Meta:
        app_label = "latchkey"
        ordering = ("client_id", "id")

    def __str__(self) -> str:
        return f"credential of {self.client_id}"
