"""Sessions: one row per signed-in device, however long it lives and however often it refreshes."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models

from latchkey.core.client import USER_AGENT_LENGTH
from latchkey.sessions.manager import SessionManager

ID_BITS = 63


def random_id() -> int:
    """Return an id that tells nothing about how many sessions there are."""
    return secrets.randbits(ID_BITS)


class Session(models.Model):
    """A signed-in device. The row is there exactly while the session is live or awaits pruning.

    digest is that of the current refresh token. next_digest is that of its successor: after a fail-over
    to a replica which missed the last rotation, clients come with that one, and it proves them honest.
    """

    id = models.BigIntegerField(primary_key=True, default=random_id, editable=False)
    selector = models.BigIntegerField(unique=True, editable=False)
    digest = models.BinaryField(max_length=32)
    next_digest = models.BinaryField(max_length=32)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions", editable=False
    )
    credential_version = models.PositiveIntegerField(editable=False)
    created_at = models.DateTimeField("signed in", editable=False)
    rotated_at = models.DateTimeField("last refreshed", editable=False)
    expires_at = models.DateTimeField("ends", editable=False)
    ip = models.GenericIPAddressField("address", null=True, editable=False)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True, editable=False)

    objects: ClassVar[SessionManager] = SessionManager()

    class Meta:
        app_label = "latchkey"

    def __str__(self) -> str:
        return f"session {self.pk}"
