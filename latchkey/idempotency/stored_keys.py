"""Stored idempotency keys: one request is carried out, and its retries are answered with what it created.

A caller reads `find_created` before the work, and calls `claim` in the transaction of the work, which decides between
two requests that come at the same time. A request that fails is rolled back with its key, so it can be sent again.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from latchkey.core import clock
from latchkey.core.crypto import derive_keys
from latchkey.core.exceptions import IdempotencyKeyReused
from latchkey.idempotency.models import IdempotencyKey

RETENTION = timedelta(hours=24)
"""Time for which a key is known; after it the same key is a new one."""


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with an idempotency key.

    caller says whose key it is, since two callers may choose the same one; operation is what the request does; body is
    the JSON object of the request, whose members may come in any order.
    """

    caller: str
    operation: str
    key: str
    body: Mapping[str, Any]

    def key_digests(self) -> list[bytes]:
        """Return the digest of the key under the current secret key, and under its fallbacks."""
        return _digests("key", self.caller, self.operation, self.key)

    def request_digests(self) -> list[bytes]:
        """Return the digest of the body under the current secret key, and under its fallbacks."""
        return _digests("request", self.operation, json.dumps(self.body, sort_keys=True))


def find_created(request: KeyedRequest) -> int | None:
    """Return the id of what this request has created before, None for a new key.

    Raises IdempotencyKeyReused if the key came with another request.
    """
    found = IdempotencyKey.objects.filter(
        key_digest__in=request.key_digests(), created_at__gt=clock.now() - RETENTION
    ).first()
    if found is None:
        return None
    if not any(hmac.compare_digest(bytes(found.request_digest), digest) for digest in request.request_digests()):
        raise IdempotencyKeyReused
    return found.resource_id


def claim(request: KeyedRequest) -> int | None:
    """Store the key in the caller's transaction; return None, or the id of what the same request has created.

    The unique index decides: of two requests at the same time the second one waits here until the first one is
    committed, and finds its row; if the first one is rolled back, the second one takes its place. Raises
    IdempotencyKeyReused.
    """
    digests, now = request.key_digests(), clock.now()
    IdempotencyKey.objects.filter(key_digest__in=digests, created_at__lte=now - RETENTION).delete()
    row = IdempotencyKey(key_digest=digests[0], request_digest=request.request_digests()[0], created_at=now)
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    return find_created(request)


def store_created(request: KeyedRequest, resource_id: int) -> None:
    """Store the id of what the request has created, in the transaction that claimed the key."""
    IdempotencyKey.objects.filter(key_digest=request.key_digests()[0]).update(resource_id=resource_id)


def _digests(*parts: str) -> list[bytes]:
    text = json.dumps(parts).encode()
    return [hmac.digest(key, text, "sha256") for key in derive_keys("idempotency")]
