"""What every request passes through, whatever it asks for."""

from collections.abc import Callable
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware

from latchkey.telemetry.request_log import log, request_log
from latchkey.web.problems import problem_response

API_CSP = "default-src 'none'; frame-ancestors 'none'"
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
"""Scripts come from our own files alone; Swagger UI and the admin set styles on elements, hence 'unsafe-inline'."""


@receiver(got_request_exception)
def log_unhandled_exception(**kwargs: Any) -> None:
    """Log the traceback of a mistake of ours; Django itself would log a line for every refusal too."""
    log.exception("request_failed")


class RequestLogMiddleware:
    """One log line a request, and its id on every answer that tells of a failure."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with request_log(request.method or "", request.path, request.META) as answered:
            response = self.get_response(request)
            answered.status = response.status_code
            if answered.status >= 500:
                response.headers["X-Request-ID"] = answered.request_id  # a client's own is never believed
        return response


class SecurityHeadersMiddleware:
    """The headers that keep answers from being run, framed or embedded (OWASP REST Security Cheat Sheet)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._error_response: Any = library_middleware(
            lambda request: problem_response(request.META["latchkey.refusal"])
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refused = "latchkey.refusal" in request.META  # by the front: no route and no database, yet the same headers
        response: HttpResponse = (self._error_response if refused else self.get_response)(request)
        page = response.headers.get("Content-Type", "").startswith("text/html")
        response.headers.setdefault("Content-Security-Policy", PAGE_CSP if page else API_CSP)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        if response.status_code in (204, 304):
            del response.headers["Content-Length"]  # RFC 9110 section 8.6; CommonMiddleware gives every answer one
        elif not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def library_middleware(view: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Return the view with the headers of the libraries' middleware, without the rest of the stack."""
    return SecurityMiddleware(CorsMiddleware(view))


def all_header_middleware(view: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Return the view with every header that any answer has."""
    return SecurityHeadersMiddleware(library_middleware(view))
