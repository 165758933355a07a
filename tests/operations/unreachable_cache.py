"""A Django cache backend whose server cannot be reached."""

from typing import Any

from django.core.cache.backends.base import BaseCache


class UnreachableCache(BaseCache):
    """Raises ConnectionError on every operation."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("the cache server is down")

    add = get = set = touch = delete = clear = _fail
