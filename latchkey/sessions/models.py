"""Sessions: one row per signed-in device, however long it lives and however often it refreshes."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models

from latchkey.accounts.models import User
from latchkey.conf.policy import Policy
from latchkey.core.client import USER_AGENT_LENGTH, ClientInfo
from latchkey.sessions.sql import (
    SessionManager,
    SessionValues,
)
from latchkey.tokens.refresh_token import digest, generate, refresh_token_keys, selector, successor

ID_BITS = 63


def random_id() -> int:
    """Return a random id, which does not tell how many sessions there are."""
    return secrets.randbits(ID_BITS)


class Session(models.Model):
    """A session of a signed-in device. Its row exists while the session is live or awaits pruning.

    digest is that of the current refresh token. next_digest is that of its successor, which a client presents after a
    fail-over to a replica that missed the last rotation. retry_digest is that of the Idempotency-Key of the last
    refresh, empty without one. Digests are 32 bytes, keyed (tokens/refresh_token.py).
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

    objects: ClassVar[SessionManager] = SessionManager()

    class Meta:
        app_label = "latchkey"

    def __str__(self) -> str:
        return f"session {self.pk}"


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that was just opened, and its refresh token."""

    session_id: int
    refresh_token: UUID


def open_session(user: User, client: ClientInfo, now: datetime, policy: Policy) -> NewSession | None:
    """Insert a session in the caller's transaction; None if the user's credentials changed since they were verified.

    The credential version decides. Raises IntegrityError where the random selector is that of another session: 1 in 28
    million with 10 million sessions.
    """
    key = refresh_token_keys()[0]
    token = generate(key)
    values = SessionValues(
        id=random_id(),
        selector=selector(token),
        digest=digest(key, token),
        next_digest=digest(key, successor(key, token)),
        user_id=user.pk,
        credential_version=user.credential_version,
        expires_at=now + min(policy.refresh_token_lifetime, policy.session_lifetime_cap),
    )
    opened = Session.objects.insert_if_current(values, client, now, policy.sessions_per_user)
    return NewSession(values.id, token) if opened else None
