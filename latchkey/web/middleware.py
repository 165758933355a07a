"""What every request passes through, whatever it asks for."""

from collections.abc import Callable
from typing import Any

import structlog
from corsheaders.middleware import CorsMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django_structlog.middlewares import RequestMiddleware

from latchkey.web.problems import respond

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
"""Scripts come from our own files alone; Swagger UI and the admin set styles on elements, hence 'unsafe-inline'."""


class RequestLogMiddleware(RequestMiddleware):
    """One log line a request, with a request id; without the query string, which may hold what somebody mistyped."""

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Tell whoever meets a failure the id that the log has for it; what a client sends is never believed."""
        if response.status_code >= 500:
            response.headers["X-Request-ID"] = structlog.contextvars.get_contextvars()["request_id"]
        super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"


class HeadersMiddleware:
    """The headers that keep answers from being run, framed or embedded (OWASP REST Security Cheat Sheet)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.refuse: Any = SecurityMiddleware(CorsMiddleware(lambda request: respond(request.META["latchkey.refusal"])))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refused = "latchkey.refusal" in request.META  # by the front: no route and no database, yet the same headers
        response: HttpResponse = (self.refuse if refused else self.get_response)(request)
        page = response.headers.get("Content-Type", "").startswith("text/html")
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY if page else DATA_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if response.status_code == 204:
            del response.headers["Content-Length"]  # RFC 9110 section 8.6; CommonMiddleware gives every answer one
        return response
