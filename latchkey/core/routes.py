"""The names that requests are counted under: as many as there are routes, whatever strangers ask for."""

from functools import cache

from django.conf import settings
from django.urls import URLResolver, get_resolver

OTHER = "other"


def route_of(path: str) -> str:
    """Return the route of a path: itself, what it is below of, or OTHER."""
    exact, prefixes = known()
    if path in exact:
        return exact[path]
    return next((prefix for prefix in prefixes if path.startswith(prefix)), OTHER)


@cache
def known() -> tuple[dict[str, str], list[str]]:
    """Return the paths that are routes, each with its name, and what other paths begin with.

    A path without its last slash has the name of that with it.
    """
    routes = get_resolver().url_patterns
    paths = [f"/{route.pattern}" for route in routes if not isinstance(route, URLResolver)]
    prefixes = [f"/{route.pattern}" for route in routes if isinstance(route, URLResolver)] + [settings.STATIC_URL]
    names = {*paths, *prefixes}
    return {path: f"{path}/" if f"{path}/" in names else path for path in paths}, prefixes
