"""Session store of the admin area: Django's in the database, with rows that are named by a keyed digest of the cookie.

Django names the row of a session by the value of the cookie, so whoever reads a copy of the database, a backup or a
replica could take over the session of an operator (CWE-312). The key of the digest is derived from the secret key and
is not in the database (docs/decisions/0001).
"""

import hmac
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import db
from django.utils import timezone

from latchkey.core.crypto import derive_keys

NAME_BYTES = 20
"""Bytes of a digest: in hexadecimal they fill the 40 characters of Django's column."""


def row_names(session_key: str) -> list[str]:
    """Return the names of a session's row under the current secret key and its fallbacks."""
    keys = derive_keys("admin session")
    return [hmac.digest(key, session_key.encode(), "sha256")[:NAME_BYTES].hex() for key in keys]


class SessionStore(db.SessionStore):
    """Django session store; `session_key` is the value of the cookie, and no column of a row contains it."""

    _row_name: str | None = None  # of the row that was loaded: it may be named under a fallback of the secret key

    def _get_session_from_db(self) -> Any:
        rows = self.model.objects.filter(session_key__in=row_names(self.session_key or ""))
        row = rows.filter(expire_date__gt=timezone.now()).first()
        self._row_name = row.session_key if row else None
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        return self.model.objects.filter(session_key__in=row_names(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        instance = super().create_model_instance(data)
        names = row_names(instance.session_key)
        instance.session_key = self._row_name if self._row_name in names else names[0]
        return instance

    def delete(self, session_key: str | None = None) -> None:
        session_key = session_key or self.session_key
        if session_key:
            self.model.objects.filter(session_key__in=row_names(session_key)).delete()

    async def _aget_session_from_db(self) -> Any:
        return await sync_to_async(self._get_session_from_db)()

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        return await sync_to_async(self.create_model_instance)(data)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)
