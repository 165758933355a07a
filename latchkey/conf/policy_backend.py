"""django-constance backend that ignores rows which it cannot decode.

Constance's own raises for such a row, so one bad value in the table would break every request that reads the policy.
"""

from collections.abc import Iterable
from typing import Any

from constance.backends.database import DatabaseBackend
from constance.codecs import loads

DECODE_ERRORS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)


class TolerantBackend(DatabaseBackend):  # type: ignore[misc]  # constance ships no types
    """Constance's database backend, in which a row that cannot be decoded counts as not set."""

    def mget(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of these keys, in one query; raises DatabaseError."""
        readable = {}
        for key, text in self._model._default_manager.filter(key__in=list(keys)).values_list("key", "value"):
            try:
                readable[key] = loads(text)
            except DECODE_ERRORS:
                continue
        return readable

    def get(self, key: str) -> Any:
        return self.mget([key]).get(key)

    def set(self, key: str, value: Any) -> None:
        if self.get(key) is None:  # constance would decode the broken row, to report it as the old value
            self._model._default_manager.filter(key=key).delete()
        super().set(key, value)
