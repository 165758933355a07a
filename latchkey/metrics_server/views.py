"""Metrics and health checks: GET /metrics on the main address, and /metrics, /livez, /readyz on the metrics address.

On the metrics address liveness means that the event loop of a worker still runs, and readiness that the database
answers. Both are independent of the request threads; the views for the main address are in `web/views.py`.
"""

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
"""Seconds that a health check waits for the database, or for the event loop."""


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics in Prometheus' format; the gauges are read over this thread's own database connection."""
    return _metrics_response(request, database_gauges)


def _metrics_response(request: HttpRequest, read_gauges: Callable[[], Gauges]) -> HttpResponse:
    """Return the metrics; without the database gauges while the database is unavailable."""

    def gauges() -> Gauges:
        try:
            return read_gauges()
        except (DatabaseError, TimeoutError):
            return {}

    body, content_type = exposition(request.headers.get("Accept", ""), gauges)
    return HttpResponse(body, content_type=content_type)


class MetricsApplication:
    """WSGI application of the metrics address. It uses no request thread, and every wait has a timeout.

    One thread of its own talks to the database; while that thread hangs, the other requests get a 503.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.database = ThreadPoolExecutor(1, "metrics-database")
        views = {"/metrics": self.metrics, "/livez": self.livez, "/readyz": self.readyz}
        pages = {path: require_safe(never_cache(view)) for path, view in views.items()}
        self.answer = all_header_middleware(lambda request: pages.get(request.path, not_found)(request))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            response: HttpResponse = self.answer(WSGIRequest(environ))
        except Exception:  # a bug: the standard library's server would print the traceback to stderr
            log_unhandled_exception()
            response = problem_response(InternalServerError())
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.content]

    def metrics(self, request: HttpRequest) -> HttpResponse:
        """Return the metrics; the database has 2 s to answer."""
        return _metrics_response(request, lambda: self.with_timeout(database_gauges))

    def livez(self, request: HttpRequest) -> HttpResponse:
        """Liveness: 200 while the event loop runs, however many requests wait for a thread; else 503."""
        ran = Event()
        self.loop.call_soon_threadsafe(ran.set)
        if not ran.wait(DATABASE_TIMEOUT):
            return problem_response(ServiceUnavailable())
        return JsonResponse({"status": "ok"})

    def readyz(self, request: HttpRequest) -> HttpResponse:
        """Readiness: 200 while the database answers within 2 s, else 503."""
        try:
            self.with_timeout(lambda: fetch_all("SELECT 1", {}))
        except (DatabaseError, TimeoutError):
            return problem_response(ServiceUnavailable())
        return JsonResponse({"status": "ok"})

    def with_timeout(self, query: Callable[[], Any]) -> Any:
        """Run a query in the database thread and return its result; raises TimeoutError after 2 s, or its error."""
        future = self.database.submit(query)
        try:
            return future.result(DATABASE_TIMEOUT)
        finally:
            future.cancel()  # a query that still waits behind one that hangs


def not_found(request: HttpRequest) -> HttpResponse:
    """Return 404 for every other path."""
    return problem_response(NotFound())
