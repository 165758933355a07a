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

from latchkey.core.exceptions import NotFound, ServerError, Unavailable
from latchkey.db.cursor import fetch
from latchkey.metrics_server.collectors import Numbers, exposition, of_database
from latchkey.web.middleware import log_mistake, with_our_headers
from latchkey.web.problems import respond
from latchkey.web.views import read_only

PATIENCE = 2.0
"""Seconds that a probe waits for the database, or for a turn of the event loop."""


@read_only
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Show what is measured; over the connection of the thread that answers."""
    return _page(request, of_database)


def _page(request: HttpRequest, ask: Callable[[], Numbers]) -> HttpResponse:
    def numbers() -> Numbers:
        try:
            return ask()
        except (DatabaseError, TimeoutError):
            return {}

    body, content_type = exposition(request.headers.get("Accept", ""), numbers)
    return HttpResponse(body, content_type=content_type)


class OwnAddress:
    """A WSGI application that needs none of the threads that answer requests, and waits for nothing without end.

    A thread of its own talks to the database: while that hangs, the others are told so.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.database = ThreadPoolExecutor(1, "watch")
        views = {"/metrics": self.metrics, "/livez": self.livez, "/readyz": self.readyz}
        pages = {path: read_only(never_cache(view)) for path, view in views.items()}
        self.answer = with_our_headers(lambda request: pages.get(request.path, not_found)(request))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            response: HttpResponse = self.answer(WSGIRequest(environ))
        except Exception:  # ours; the server of the standard library would print it
            log_mistake()
            response = respond(ServerError())
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.content]

    def metrics(self, request: HttpRequest) -> HttpResponse:
        return _page(request, lambda: self.in_time(of_database))

    def livez(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 while the loop that takes requests turns, however many of them wait for a thread."""
        turned = Event()
        self.loop.call_soon_threadsafe(turned.set)
        return JsonResponse({"status": "ok"}) if turned.wait(PATIENCE) else respond(Unavailable())

    def readyz(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 while the database answers in time, else 503."""
        try:
            self.in_time(lambda: fetch("SELECT 1", {}))
        except (DatabaseError, TimeoutError):
            return respond(Unavailable())
        return JsonResponse({"status": "ok"})

    def in_time(self, ask: Callable[[], Any]) -> Any:
        """Return what this returns; raises TimeoutError, or what it raises."""
        asked = self.database.submit(ask)
        try:
            return asked.result(PATIENCE)
        finally:
            asked.cancel()  # what still waits behind a question that hangs


def not_found(request: HttpRequest) -> HttpResponse:
    return respond(NotFound())
