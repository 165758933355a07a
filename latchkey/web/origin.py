"""Origin check: which web origins may use the endpoints that a cookie authenticates (Fetch standard, section 3.2).

A browser adds the cookie to a request of any page of the same site; the Origin header says which page sent it, and no
script can change that. It is the defense against cross-site request forgery, login CSRF included, that the OWASP CSRF
Prevention Cheat Sheet calls verifying the origin. A token in a form is not needed beside it.
"""

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

from latchkey.conf.urls import parse_url
from latchkey.core.exceptions import OriginNotAllowed

CREDENTIALED_PREFIX = "/api/browser/"
"""Prefix of the paths where scripts of listed origins may use cookies (Access-Control-Allow-Credentials)."""

_HOST_HEADERS = ("HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "wsgi.url_scheme", "SERVER_NAME", "SERVER_PORT")


def check_origin(meta: Mapping[str, Any]) -> None:
    """Raise OriginNotAllowed unless the request is from a page of an allowed origin.

    meta has the headers as WSGI names them. Allowed are Latchkey's own origin and those of LATCHKEY_CORS_ORIGINS;
    without the header nothing is, as every browser sends it with a POST. A page of another site (Sec-Fetch-Site:
    cross-site) is refused although its origin is listed: its browser would neither keep nor send the cookie.
    """
    if not is_allowed(meta):
        raise OriginNotAllowed


def is_allowed(meta: Mapping[str, Any]) -> bool:
    """Tell whether `check_origin` passes."""
    origin: str = meta.get("HTTP_ORIGIN", "")
    if not origin or meta.get("HTTP_SEC_FETCH_SITE") == "cross-site":
        return False
    if origin in settings.CORS_ALLOWED_ORIGINS or origin == _public_origin(settings.PUBLIC_URL):
        return True
    requested: str = _requested_origin(*map(meta.get, _HOST_HEADERS))
    return origin == requested


@lru_cache(maxsize=4)
def _public_origin(public_url: str) -> str:
    return parse_url(public_url).origin if public_url else ""


@lru_cache(maxsize=64)
def _requested_origin(*headers: Any) -> str:
    """Return the origin that a request is addressed to, by its Host; raises DisallowedHost for an unknown one."""
    environ = {name: value for name, value in zip(_HOST_HEADERS, headers, strict=True) if value is not None}
    request = WSGIRequest(environ | {"REQUEST_METHOD": "GET", "wsgi.input": BytesIO()})
    return f"{request.scheme}://{request.get_host().lower()}"
