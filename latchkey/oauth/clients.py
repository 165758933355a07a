"""Administration of client credentials: add and remove the secrets of services (`latchkey services`).

A change takes effect at the next request, on every node, because credentials are not cached.
"""

import secrets

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.oauth.models import ClientCredential, hash_secret

MAX_SECRETS = 2
"""Secrets of a service at most: the one in use, and the one that replaces it."""


def add_secret(client_id: str) -> str | None:
    """Add a secret of 256 random bits and return it, the only time that it is shown; None if there are two already."""
    if ClientCredential.objects.filter(client_id=client_id).count() >= MAX_SECRETS:
        return None
    secret = secrets.token_urlsafe(32)
    ClientCredential.objects.create(client_id=client_id, digest=hash_secret(secret))
    record(Event.SERVICE_ADDED, reason=client_id)
    return secret


def remove_secrets(client_id: str, *, older: bool) -> int:
    """Delete all secrets of a service, or with `older` all but the newest; return the number of deleted ones."""
    newest_first = ClientCredential.objects.filter(client_id=client_id).order_by("-id").values_list("pk", flat=True)
    removed, _ = ClientCredential.objects.filter(pk__in=list(newest_first)[int(older) :]).delete()
    if removed:
        record(Event.SERVICE_REMOVED, reason=client_id)
    return removed
