"""Administration of client credentials: add and remove the secrets of applications.

A change takes effect at the next request, on every node, because credentials are not cached.
"""

import secrets
from contextlib import suppress

from django.db import transaction

from latchkey.applications.manage import ensure_application, invalidate_tokens, lock_application
from latchkey.applications.models import ClientCredential, hash_secret
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record

MAX_SECRETS = 2
"""Secrets of an application at most: the one in use, and the one that replaces it."""


@transaction.atomic
def add_secret(client_id: str, operator: Operator, *, create: bool = False) -> str | None:
    """Add a secret of 256 random bits and return it, the only time that it is shown; None if there are two already.

    With `create`, an application that does not exist is created; raises ValueError without.
    """
    if create:
        ensure_application(client_id, operator)
    else:
        lock_application(client_id)  # two operators add one secret each, and not a third
    if ClientCredential.objects.filter(client_id=client_id).count() >= MAX_SECRETS:
        return None
    secret = secrets.token_urlsafe(32)
    ClientCredential.objects.create(client_id=client_id, digest=hash_secret(secret))
    _record(Event.SERVICE_ADDED, client_id, operator)
    return secret


@transaction.atomic
def remove_secrets(client_id: str, operator: Operator, *, older: bool) -> int:
    """Delete all secrets of a client, or with `older` all but the newest; return the number of deleted ones.

    Without `older` the access tokens that the application has are refused from here on, too. A client may be without an
    application: an older version of the service added it during an upgrade.
    """
    application = None
    with suppress(ValueError):
        application = lock_application(client_id)
    newest_first = ClientCredential.objects.filter(client_id=client_id).order_by("-id").values_list("pk", flat=True)
    removed, _ = ClientCredential.objects.filter(pk__in=list(newest_first)[int(older) :]).delete()
    if removed:
        if application and not older:
            invalidate_tokens(application)
        _record(Event.SERVICE_REMOVED, client_id, operator)
    return removed


def _record(event: Event, client_id: str, operator: Operator) -> None:
    record(event, operator.client, reason=client_id, actor_id=operator.user_id, client_id=operator.client_id)
