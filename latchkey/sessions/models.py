"""Sessions: one row per signed-in device, however long it lives and however often it refreshes."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models

from latchkey.core.client import USER_AGENT_LENGTH
from latchkey.sessions.sql import SessionManager
from latchkey.tokens.authentication_methods import Authentication, Proof

ID_BITS = 63


def random_id() -> int:
    """Return a random id, which does not tell how many sessions there are."""
    return secrets.randbits(ID_BITS)


class Session(models.Model):
    """A session of a signed-in device. Its row exists while the session is live or awaits pruning.

    digest is that of the current refresh token. next_digest is that of its successor, which a client presents after a
    fail-over to a replica that missed the last rotation. retry_digest is that of the Idempotency-Key of the last
    refresh, empty without one. Digests are 32 bytes, keyed (tokens/refresh_token.py). proof is a mask of Proof: what
    the person proved at sign-in and since, last at authenticated_at; rows of older versions lack that time, and
    created_at stands for it.
    """

    id = models.BigIntegerField(primary_key=True, default=random_id, editable=False)
    selector = models.BigIntegerField(unique=True, editable=False)
    digest = models.BinaryField(max_length=32)
    next_digest = models.BinaryField(max_length=32)
    retry_digest = models.BinaryField(max_length=32, db_default=b"")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions", editable=False
    )
    credential_version = models.PositiveIntegerField(editable=False)
    created_at = models.DateTimeField("signed in", editable=False)
    rotated_at = models.DateTimeField("last refreshed", editable=False)
    expires_at = models.DateTimeField("ends", editable=False)
    ip = models.GenericIPAddressField("address", null=True, editable=False)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True, editable=False)
    proof = models.PositiveSmallIntegerField(db_default=Proof.PASSWORD.value, editable=False)
    authenticated_at = models.DateTimeField("authenticated", null=True, editable=False)

    objects: ClassVar[SessionManager] = SessionManager()

    class Meta:
        app_label = "latchkey"

    def __str__(self) -> str:
        return f"session {self.pk}"

    @property
    def authentication(self) -> Authentication:
        """What the person proved, and when last."""
        return Authentication(self.proof, int((self.authenticated_at or self.created_at).timestamp()))
