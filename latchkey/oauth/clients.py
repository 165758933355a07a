"""What an operator does to the services; each verb takes effect at the next request, on every node."""

import secrets

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.oauth.models import ClientCredential, hash_secret

MAX_SECRETS = 2
"""Secrets that a service has at most: the one in use, and the one that takes its place."""


def add_secret(client_id: str) -> str | None:
    """Give a service a secret of 256 random bits and return it, for the only time; None where it has two already."""
    if ClientCredential.objects.filter(client_id=client_id).count() >= MAX_SECRETS:
        return None
    secret = secrets.token_urlsafe(32)
    ClientCredential.objects.create(client_id=client_id, digest=hash_secret(secret))
    record(Event.SERVICE_ADDED, reason=client_id)
    return secret


def remove_secrets(client_id: str, *, older: bool) -> int:
    """Take a service's secrets away, or all but the newest; return how many there were."""
    doomed = ClientCredential.objects.filter(client_id=client_id).order_by("-id").values_list("pk", flat=True)
    removed, _ = ClientCredential.objects.filter(pk__in=list(doomed)[int(older) :]).delete()
    if removed:
        record(Event.SERVICE_REMOVED, reason=client_id)
    return removed
