"""The names that requests are counted under: as many as there are routes, whatever strangers ask for."""

from functools import cache

from django.conf import settings
from django.urls import URLResolver, get_resolver

OTHER = "other"


def route_label(path: str) -> str:
    """Return the route of a path: itself, what it is below of, or OTHER."""
    exact, prefixes = route_table()
    if path in exact:
        return exact[path]
    return next((route for prefix, route in prefixes.items() if path.startswith(prefix)), OTHER)


@cache
def route_table() -> tuple[dict[str, str], dict[str, str]]:
    """Return the paths that are routes and what other paths begin with, each with the name of its route.

    A path without its last slash has the name of that with it; one that holds an id has the name that stands for all.
    """
    routes = get_resolver().url_patterns
    paths = [f"/{route.pattern}" for route in routes if not isinstance(route, URLResolver)]
    folders = [f"/{route.pattern}" for route in routes if isinstance(route, URLResolver)] + [settings.STATIC_URL]
    names = {*paths, *folders}
    exact = {path: f"{path}/" if f"{path}/" in names else path for path in paths}
    with_ids = {path.partition("<")[0]: name for path, name in exact.items() if "<" in path}
    return {path: name for path, name in exact.items() if "<" not in path}, with_ids | {each: each for each in folders}
