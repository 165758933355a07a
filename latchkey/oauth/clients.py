"""What an operator does to the services; each verb takes effect at the next request, on every node."""

import secrets

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.oauth.models import ServiceCredential, digest_of

AT_ONCE = 2
"""Secrets that a service has at most: the one in use, and the one that takes its place."""


def add(client_id: str) -> str | None:
    """Give a service a secret of 256 random bits and return it, for the only time; None where it has two already."""
    if ServiceCredential.objects.filter(client_id=client_id).count() >= AT_ONCE:
        return None
    secret = secrets.token_urlsafe(32)
    ServiceCredential.objects.create(client_id=client_id, digest=digest_of(secret))
    record(Event.SERVICE_ADDED, reason=client_id)
    return secret


def remove(client_id: str, *, older: bool) -> int:
    """Take a service's secrets away, or all but the newest; return how many there were."""
    doomed = ServiceCredential.objects.filter(client_id=client_id).order_by("-id").values_list("pk", flat=True)
    removed, _ = ServiceCredential.objects.filter(pk__in=list(doomed)[int(older) :]).delete()
    if removed:
        record(Event.SERVICE_REMOVED, reason=client_id)
    return removed
