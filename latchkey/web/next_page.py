"""The page that a form leads back to: a target out of a request, which must not lead to another site (CWE-601)."""

from urllib.parse import unquote, urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def page_below(request: HttpRequest, target: str, start: str) -> str:
    """Return the target if it is a path of this site below `start`, which ends in a slash; else `start`."""
    try:
        parts = urlsplit(target)
    except ValueError:  # brackets that are no IPv6 address
        return start
    climbs = ".." in unquote(parts.path).split("/")
    inside = not parts.scheme and not parts.netloc and target.startswith(start) and not climbs
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    return target if inside and allowed else start
