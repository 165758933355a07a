"""Route labels of metrics and traces: one label value per route, whatever paths clients request.

Without this the label's cardinality would be as high as the number of different paths that anybody sends.
"""

from functools import cache

from django.conf import settings
from django.urls import URLResolver, get_resolver

OTHER = "other"


def route_label(path: str) -> str:
    """Return the label of a path: its route, the prefix such as /admin/ that it is below, or 'other'."""
    exact, prefixes = route_table()
    if path in exact:
        return exact[path]
    return next((route for prefix, route in prefixes.items() if path.startswith(prefix)), OTHER)


@cache
def route_table() -> tuple[dict[str, str], dict[str, str]]:
    """Return the exact paths and the path prefixes of all routes, each with its label.

    A path without the trailing slash has the label of the path with it; paths that contain an id share one label.
    """
    routes = get_resolver().url_patterns
    paths = [f"/{route.pattern}" for route in routes if not isinstance(route, URLResolver)]
    prefixes = [f"/{route.pattern}" for route in routes if isinstance(route, URLResolver)] + [
        settings.STATIC_URL.removeprefix(settings.PUBLIC_PATH)
    ]
    known = {*paths, *prefixes}
    labels = {path: f"{path}/" if f"{path}/" in known else path for path in paths}
    with_ids = {path.partition("<")[0]: label for path, label in labels.items() if "<" in path}
    exact = {path: label for path, label in labels.items() if "<" not in path}
    return exact, with_ids | {prefix: prefix for prefix in prefixes}
