"""A cache server that is down."""

from typing import Any

from django.core.cache.backends.base import BaseCache


class UnreachableCache(BaseCache):
    """Fails at whatever it is asked."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("the cache server is down")

    add = get = set = touch = delete = clear = _fail
