"""GET /metrics on the main address, and the three addresses of LATCHKEY_METRICS_ADDRESS."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from latchkey.core.exceptions import InternalServerError, NotFound, ServiceUnavailable
from latchkey.db.statements import fetch_all
from latchkey.metrics_server.collectors import Gauges, database_gauges, exposition
from latchkey.web.middleware import all_header_middleware, log_unhandled_exception
from latchkey.web.problems import problem_response
from latchkey.web.views import require_safe

DATABASE_TIMEOUT = 2.0
"""Seconds that a probe waits for the database, or for a turn of the event loop."""


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Show what is measured; over the connection of the thread that answers."""
    return _page(request, database_gauges)


def _page(request: HttpRequest, ask: Callable[[], Gauges]) -> HttpResponse:
    def numbers() -> Gauges:
        try:
            return ask()
        except (DatabaseError, TimeoutError):
            return {}

    body, content_type = exposition(request.headers.get("Accept", ""), numbers)
    return HttpResponse(body, content_type=content_type)


class MetricsApplication:
    """A WSGI application that needs none of the threads that answer requests, and waits for nothing without end.

    A thread of its own talks to the database: while that hangs, the others are told so.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.database = ThreadPoolExecutor(1, "watch")
        views = {"/metrics": self.metrics, "/livez": self.livez, "/readyz": self.readyz}
        pages = {path: require_safe(never_cache(view)) for path, view in views.items()}
        self.answer = all_header_middleware(lambda request: pages.get(request.path, not_found)(request))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            response: HttpResponse = self.answer(WSGIRequest(environ))
        except Exception:  # ours; the server of the standard library would print it
            log_unhandled_exception()
            response = problem_response(InternalServerError())
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.content]

    def metrics(self, request: HttpRequest) -> HttpResponse:
        return _page(request, lambda: self.with_timeout(database_gauges))

    def livez(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 while the loop that takes requests turns, however many of them wait for a thread."""
        turned = Event()
        self.loop.call_soon_threadsafe(turned.set)
        return (
            JsonResponse({"status": "ok"}) if turned.wait(DATABASE_TIMEOUT) else problem_response(ServiceUnavailable())
        )

    def readyz(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 while the database answers in time, else 503."""
        try:
            self.with_timeout(lambda: fetch_all("SELECT 1", {}))
        except (DatabaseError, TimeoutError):
            return problem_response(ServiceUnavailable())
        return JsonResponse({"status": "ok"})

    def with_timeout(self, ask: Callable[[], Any]) -> Any:
        """Return what this returns; raises TimeoutError, or what it raises."""
        asked = self.database.submit(ask)
        try:
            return asked.result(DATABASE_TIMEOUT)
        finally:
            asked.cancel()  # what still waits behind a question that hangs


def not_found(request: HttpRequest) -> HttpResponse:
    return problem_response(NotFound())
