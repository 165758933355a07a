"""Pruning of all rows that are no longer used, batch by batch, for one worker of all nodes in each hour.

It only saves disk space, so it gives way to everything else: each batch is a statement of its own, and what an hour
does not reach is left for the next one. `latchkey prune` does the same at once.
"""

import secrets
from collections.abc import Iterator

from django.contrib.sessions.backends.db import SessionStore

from latchkey.api_keys.prune import prune as prune_api_keys
from latchkey.audit.prune import prune as prune_events
from latchkey.email_codes.prune import prune as prune_codes
from latchkey.factors.prune import prune as prune_factors
from latchkey.idempotency.prune import prune as prune_idempotency_keys
from latchkey.mail.prune import prune as prune_mails
from latchkey.rate_limits.prune import prune as prune_attempts
from latchkey.sessions.prune import MAX_ID
from latchkey.sessions.prune import prune as prune_sessions


def prune_all() -> Iterator[int]:
    """Delete in batches, and yield the number of deleted rows of each; raises DatabaseError.

    The sessions come last, as their table is scanned as a whole. The scan begins at random, so that a table for which
    an hour is too short is pruned everywhere all the same.
    """
    yield from prune_events()
    yield from prune_mails()
    yield from prune_codes()
    yield from prune_factors()
    yield from prune_attempts()
    yield from prune_api_keys()
    yield from prune_idempotency_keys()
    clear_admin_sessions()
    yield 0
    begin = secrets.randbelow(MAX_ID)
    for first, last in ((begin, MAX_ID), (-1, begin)):
        yield from (batch.deleted for batch in prune_sessions(first=first, last=last))


def clear_admin_sessions() -> None:
    """Delete the expired sessions of the admin area, as Django's `clearsessions` does."""
    SessionStore.clear_expired()
