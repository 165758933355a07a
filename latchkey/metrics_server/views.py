"""Metrics and health checks: GET /metrics on the main address, and /metrics, /livez, /readyz on the metrics address.

On the metrics address liveness means that the event loop of a worker still runs, and readiness that the database
answers. Both are independent of the request threads; the views for the main address are in `web/views.py`.
"""

import asyncio
from collections.abc import Callable, Iterable
from threading import Event
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from latchkey.core.exceptions import InternalServerError, NotFound, ServiceUnavailable
from latchkey.db.probe import DatabaseProbe
from latchkey.metrics_server.collectors import Gauges, database_gauges, exposition
from latchkey.web.middleware import all_header_middleware, log_unhandled_exception
from latchkey.web.problems import problem_response
from latchkey.web.views import require_safe

LOOP_SECONDS = 2.0
"""Seconds that the liveness check waits for the event loop."""


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

    The thread of the probe talks to the database; while that thread hangs, the other requests get a 503.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, probe: DatabaseProbe) -> None:
        self.loop, self.probe = loop, probe
        views = {"/metrics": self.metrics, "/livez": self.livez, "/readyz": self.readyz}
        pages = {path: require_safe(never_cache(view)) for path, view in views.items()}
        self.answer = all_header_middleware(lambda request: pages.get(request.path_info, not_found)(request))

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
        return _metrics_response(request, lambda: self.probe.run(database_gauges))

    def livez(self, request: HttpRequest) -> HttpResponse:
        """Liveness: 200 while the event loop runs, however many requests wait for a thread; else 503."""
        ran = Event()
        self.loop.call_soon_threadsafe(ran.set)
        if not ran.wait(LOOP_SECONDS):
            return problem_response(ServiceUnavailable())
        return JsonResponse({"status": "ok"})

    def readyz(self, request: HttpRequest) -> HttpResponse:
        """Readiness: 200 while the database answers within 2 s, else 503."""
        return JsonResponse({"status": "ok"}) if self.probe.is_ready() else problem_response(ServiceUnavailable())


def not_found(request: HttpRequest) -> HttpResponse:
    """Return 404 for every other path."""
    return problem_response(NotFound())
