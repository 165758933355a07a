"""Request log: one access-log line per request, merged with its audit event, and the request's metrics.

Every other line that a request causes carries its `request_id`, and its trace id if the client sent one. The last event
waits until the response is known, so that an ordinary request costs one line instead of two.
"""

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram
from structlog.typing import EventDict

from latchkey.telemetry.metrics import EVENTS_TOTAL, METHODS, REQUEST_DURATION, method_label
from latchkey.telemetry.multiprocess import enable
from latchkey.telemetry.route_labels import route_label, route_table
from latchkey.telemetry.tracing import TraceContext, parse_traceparent

LEVELS = {4: logging.WARNING, 5: logging.ERROR}
"""Log levels by the first digit of the status."""

SERVER_ERROR = 500

_API_KEY = re.compile(r"latchkey_[0-9A-Za-z]{20,}")


def redact(path: str) -> str:
    """Return the path without the API keys in it, which a client has put there by mistake (ASVS 14.2.1)."""
    return _API_KEY.sub("latchkey_REDACTED", path) if "latchkey_" in path else path


log = structlog.get_logger("latchkey.requests")


@dataclass(slots=True)
class RequestLog:
    """The log context of one request: id, trace, status (0 until it is known) and the event line that is pending."""

    request_id: str = field(default_factory=lambda: str(uuid4()))
    trace: TraceContext | None = None
    status: int = 0
    pending: tuple[Any, str, dict[str, Any]] | None = None

    def flush(self, **fields: Any) -> None:
        """Write the pending line, with these fields added."""
        if self.pending:
            logger, event, event_fields = self.pending
            logger.info(event, **event_fields, **fields)
        self.pending = None


_request: ContextVar[RequestLog | None] = ContextVar("request", default=None)


def add_request_id(logger: Any, name: str, line: EventDict) -> EventDict:
    """Add the request id and the trace id to a log line; a structlog processor."""
    if request := _request.get():
        line["request_id"] = request.request_id
        if request.trace:
            line["trace_id"], line["span_id"] = request.trace
    return line


def current_request_id() -> str:
    """Return the id of the request in its log lines and in X-Request-ID, '' outside of a request."""
    request = _request.get()
    return request.request_id if request else ""


def log_event(logger: Any, event: str, **fields: Any) -> None:
    """Log an event. Within a request the line is held until the next event or the response, whose fields it gets."""
    if request := _request.get():
        request.flush()
        request.pending = (logger, event, fields)
    else:
        logger.info(event, **fields)


@contextmanager
def request_log(method: str, path: str, environ: Mapping[str, Any] = MappingProxyType({})) -> Iterator[RequestLog]:
    """Log and count a request when the block ends; the caller sets `status` on the context.

    The query string is not logged, because it may contain secrets that somebody put into the wrong place. The duration
    starts when the request had arrived completely, so it includes the wait for a thread.
    """
    request = RequestLog()
    started_at = environ["latchkey.arrived"] if "latchkey.arrived" in environ else time.perf_counter()
    if "HTTP_TRACEPARENT" in environ:
        request.trace = parse_traceparent(environ["HTTP_TRACEPARENT"])
    token = _request.set(request)
    try:
        yield request
    finally:
        seconds = time.perf_counter() - started_at
        observe_request(method, path, request.status, seconds)
        fields = {
            "request": f"{method} {redact(path)}",
            "code": request.status,
            "milliseconds": round(seconds * 1000, 1),
        }
        if request.pending and request.status < SERVER_ERROR:
            request.flush(**fields)
        else:  # a server error has a line of its own, with its own level
            request.flush()
            log.log(LEVELS.get(request.status // 100, logging.INFO), "request_finished", **fields)
        _request.reset(token)


_requests: dict[tuple[str, str, int], Histogram] = {}
"""The labelled histograms by method, path and status: to look one up here is cheaper than `labels()`."""

_events: dict[str, Counter] = {}
"""The labelled counters by event, for the same reason."""


def observe_request(method: str, path: str, status: int, seconds: float) -> None:
    """Record the duration of a request; the `_count` of the histogram is the number of requests."""
    try:
        histogram = _requests[method, path, status]
    except KeyError:
        histogram = _labels_for(method, path, status)
    histogram.observe(seconds)


def count_event(event: str) -> None:
    """Increment the counter of an audit event."""
    try:
        counter = _events[event]
    except KeyError:
        counter = _events[event] = EVENTS_TOTAL.labels(event)
    counter.inc()


def use_directory(folder: Path) -> None:
    """Store metrics in this directory, shared with other processes; counts from before are discarded."""
    enable(folder)
    for metric in (REQUEST_DURATION, EVENTS_TOTAL):
        metric.clear()
    _requests.clear()
    _events.clear()


def _labels_for(method: str, path: str, status: int) -> Histogram:
    """Return the labelled histogram of a request; cached only for known paths, because clients can send any path."""
    histogram = REQUEST_DURATION.labels(method_label(method), route_label(path), status)
    if method in METHODS and path in route_table()[0]:
        _requests[method, path, status] = histogram
    return histogram
