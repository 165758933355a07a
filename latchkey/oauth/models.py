"""Database table of client credentials: the services that may introspect tokens, with digests of their secrets."""

import re
from hashlib import sha256
from typing import ClassVar

from django.db import models

from latchkey.core import clock
from latchkey.db.statements import fetch_all

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Form of a service's name: a client_id (RFC 6749 appendix A.1) that needs no encoding anywhere."""

_MATCH = "SELECT 1 FROM latchkey_clientcredential WHERE digest = %(digest)s AND client_id = %(client_id)s"


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 of a secret, which the database keeps: 32 bytes.

    256 random bits cannot be guessed, so one round of SHA-256 protects them even in a leaked database; Argon2 would
    cost 14 ms per request. The hash has no key, so that a new secret key does not invalidate the credentials.
    """
    return sha256(secret.encode()).digest()


class ClientCredentialManager(models.Manager["ClientCredential"]):
    """Manager that checks credentials."""

    def matches(self, client_id: str, secret: str) -> bool:
        """Return whether this is a secret of this service: one statement, whichever of the two is wrong.

        The database looks up the digest by its index. The time of that may tell something about digests, but nothing
        about the secret.
        """
        return bool(fetch_all(_MATCH, {"digest": hash_secret(secret), "client_id": client_id}))


class ClientCredential(models.Model):
    """One secret of a service; a service has two while it changes from one to the next."""

    client_id = models.CharField("service", max_length=64, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField("added", default=clock.now, editable=False)

    objects: ClassVar[ClientCredentialManager] = ClientCredentialManager()

    class Meta:
        app_label = "latchkey"
        verbose_name = "service credential"
        ordering = ("client_id", "id")

    def __str__(self) -> str:
        return f"credential of {self.client_id}"
