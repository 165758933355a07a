"""Middleware: request log, request id, security headers, and the check of the Host header."""

import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

from corsheaders.middleware import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    CorsMiddleware,
)
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.middleware.security import SecurityMiddleware

from latchkey.telemetry.request_log import log, request_log
from latchkey.web.error_pages import to_page
from latchkey.web.origin import CREDENTIALED_PREFIX
from latchkey.web.problems import CONTENT_TYPE, DATABASE_UNAVAILABLE, error_response
from latchkey.web.site_pages import page_csp

API_CSP = "default-src 'none'; frame-ancestors 'none'"
PAGE_CSP = page_csp()

HEALTH_CHECK_PATHS = frozenset({"/livez", "/readyz"})
"""Paths that answer whatever Host a request has, or has not: nothing in the answer depends on it."""

LOG_INTERVAL = 60.0
"""Seconds until a worker logs the same unknown host again."""

MAX_LOGGED_HOSTS, MAX_HOST_LENGTH = 20, 255
"""Unknown hosts that a worker logs in LOG_INTERVAL, and characters of each: a client can send any, and as many."""

_logged_hosts: dict[str, float] = {}


@receiver(got_request_exception)
def log_unhandled_exception(**kwargs: Any) -> None:
    """Log the traceback of an unhandled exception, or that the database is unavailable, which is no bug.

    Django's own logger would also log a line for every 4xx.
    """
    error = sys.exc_info()[1]
    if isinstance(error, DATABASE_UNAVAILABLE):
        log.error("database.unavailable", error=type(error).__name__)
    else:
        log.exception("request_failed")


class RequestLogMiddleware:
    """One access-log line per request, and X-Request-ID on every 5xx response."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with request_log(request.method or "", request.path_info, request.META) as entry:
            response = self.get_response(request)
            entry.status = response.status_code
            if entry.status >= 500:
                response.headers["X-Request-ID"] = entry.request_id  # a client's own is never believed
        return response


class SecurityHeadersMiddleware:
    """Security headers against script execution, framing and embedding (OWASP REST Security Cheat Sheet)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._error_response: Any = library_middleware(
            lambda request: error_response(request, request.META["latchkey.error"])
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refused = "latchkey.error" in request.META  # by server/rsgi.py: no route and no database, but the same headers
        response = (self._error_response if refused else self.get_response)(request)
        if response.headers.get("Content-Type") == CONTENT_TYPE:
            response = to_page(request, response)
        page = response.headers.get("Content-Type", "").startswith("text/html")
        response.headers.setdefault("Content-Security-Policy", PAGE_CSP if page else API_CSP)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        if response.status_code in (204, 304):
            del response.headers["Content-Length"]  # RFC 9110 section 8.6; CommonMiddleware gives every answer one
        elif not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


class CredentialedCorsMiddleware(CorsMiddleware):
    """CorsMiddleware that allows credentials on the paths of browser sessions alone (Fetch standard, section 3.3).

    No other answer depends on a cookie that a script of another origin may use, so none of them says that it may.
    """

    def add_response_headers(self, request: HttpRequest, response: Any) -> Any:
        response = super().add_response_headers(request, response)
        if request.path_info.startswith(CREDENTIALED_PREFIX) and ACCESS_CONTROL_ALLOW_ORIGIN in response:
            response[ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        return response


def library_middleware(view: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Return the view inside the middleware of Django and corsheaders that sets headers."""
    return SecurityMiddleware(CredentialedCorsMiddleware(view))


def all_header_middleware(view: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Return the view inside all middleware that sets headers."""
    return SecurityHeadersMiddleware(library_middleware(view))


class HostMiddleware(CommonMiddleware):
    """Django's CommonMiddleware, which checks the Host header and logs an unknown one; health checks accept any host.

    A load balancer probes a node by its IP address, which is no host that clients use. A page for an unknown host would
    have links to it, so everything else is refused (OWASP, Host header injection).
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info in HEALTH_CHECK_PATHS:
            return None
        try:
            return super().process_request(request)
        except DisallowedHost:
            log_unknown_host(request.headers.get("Host", ""))
            raise


def log_unknown_host(host: str) -> None:
    """Log a Host header that was refused, once in LOG_INTERVAL: most likely a host that the settings lack."""
    host, now = "".join(c if c.isprintable() else "?" for c in host[:MAX_HOST_LENGTH]).lower(), monotonic()
    for known in [known for known, logged_at in _logged_hosts.copy().items() if now - logged_at >= LOG_INTERVAL]:
        _logged_hosts.pop(known, None)
    if host not in _logged_hosts and len(_logged_hosts) < MAX_LOGGED_HOSTS:
        _logged_hosts[host] = now
        hint = "if clients use this host, add it to LATCHKEY_ALLOWED_HOSTS"
        log.warning("request.refused", reason="unknown_host", host=host, hint=hint)
