"""Routes that hash a password, derived from the URLconf: their requests wait in a queue of their own.

A view says so by its attribute `hashes_password`, the HTTP methods that do (web/api_view.py, web/pages.py,
hashing/queue.py). A list of paths would have to be kept by hand.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


class HashingRoutes:
    """Tells whether a request hashes a password, by its method and path."""

    def __init__(self) -> None:
        self.paths: set[tuple[str, str]] = set()
        self.patterns: list[tuple[str, re.Pattern[str]]] = []
        for route, methods in _walk(get_resolver().url_patterns):
            for method in methods:
                if "<" in route:
                    matcher = re.escape(route.rstrip("/"))
                    self.patterns.append((method, re.compile(re.sub(r"<[^>]*>", "[^/]+", matcher))))
                else:
                    self.paths.add((method, route.rstrip("/")))

    def match(self, method: str, path: str) -> bool:
        """Tell whether the view of this path hashes a password; the last slash does not count."""
        path = path.rstrip("/")
        return (method, path) in self.paths or any(
            method == of and pattern.fullmatch(path) for of, pattern in self.patterns
        )


def _walk(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, frozenset[str]]]:
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            view = pattern.callback
            view_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
            if methods := getattr(view_class or view, "hashes_password", None):
                yield route, methods
