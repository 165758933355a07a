"""One log line a request: what it led to, or that it was answered; its id is on every other line that it causes."""

import logging
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
"""By the first digit of the status."""

SERVER_ERROR = 500

log = structlog.get_logger("latchkey.requests")


@dataclass(slots=True)
class RequestLog:
    """A request on its way: its id, its trace, the status once there is one, and the line that waits for it."""

    request_id: str = field(default_factory=lambda: str(uuid4()))
    trace: TraceContext | None = None
    status: int = 0
    pending: tuple[Any, str, dict[str, Any]] | None = None

    def flush(self, **facts: Any) -> None:
        """Write the waiting line, with these facts."""
        if self.pending:
            logger, event, known = self.pending
            logger.info(event, **known, **facts)
        self.pending = None


_request: ContextVar[RequestLog | None] = ContextVar("request", default=None)


def add_request_id(logger: Any, name: str, line: EventDict) -> EventDict:
    """Add the id of the request, and of its trace, to a line of the log; structlog's processor."""
    if answered := _request.get():
        line["request_id"] = answered.request_id
        if answered.trace:
            line["trace_id"], line["span_id"] = answered.trace
    return line


def log_event(logger: Any, event: str, **facts: Any) -> None:
    """Log an event; the last one of a request waits until it is answered, and its line tells of that too."""
    if answered := _request.get():
        answered.flush()
        answered.pending = (logger, event, facts)
    else:
        logger.info(event, **facts)


@contextmanager
def request_log(method: str, path: str, environ: Mapping[str, Any] = MappingProxyType({})) -> Iterator[RequestLog]:
    """Log and count the request once it is answered, without its query string, which may hold what somebody mistyped.

    Its time begins when it had arrived whole: what it waited for a thread is part of it.
    """
    answered = RequestLog()
    began = environ["latchkey.arrived"] if "latchkey.arrived" in environ else time.perf_counter()
    if "HTTP_TRACEPARENT" in environ:
        answered.trace = parse_traceparent(environ["HTTP_TRACEPARENT"])
    before = _request.set(answered)
    try:
        yield answered
    finally:
        seconds = time.perf_counter() - began
        observe_request(method, path, answered.status, seconds)
        facts = {"request": f"{method} {path}", "code": answered.status, "milliseconds": round(seconds * 1000, 1)}
        if answered.pending and answered.status < SERVER_ERROR:
            answered.flush(**facts)
        else:  # a failure of ours has a line of its own, at its own level
            answered.flush()
            log.log(LEVELS.get(answered.status // 100, logging.INFO), "request_finished", **facts)
        _request.reset(before)


_requests: dict[tuple[str, str, int], Histogram] = {}


_events: dict[str, Counter] = {}


def observe_request(method: str, path: str, status: int, seconds: float) -> None:
    """Count a request, and how long it took: the count of the histogram is that of the requests."""
    try:
        request = _requests[method, path, status]
    except KeyError:
        request = _labels_for(method, path, status)
    request.observe(seconds)


def count_event(event: str) -> None:
    """Count an event."""
    try:
        counter = _events[event]
    except KeyError:
        counter = _events[event] = EVENTS_TOTAL.labels(event)
    counter.inc()


def use_directory(folder: Path) -> None:
    """Count in this folder from now on, together with other processes; what was counted before is forgotten."""
    enable(folder)
    for metric in (REQUEST_DURATION, EVENTS_TOTAL):
        metric.clear()
    _requests.clear()
    _events.clear()


def _labels_for(method: str, path: str, status: int) -> Histogram:
    """Return where a request counts; remembered for our own paths alone, for strangers ask for any."""
    request = REQUEST_DURATION.labels(method_label(method), route_label(path), status)
    if method in METHODS and path in route_table()[0]:
        _requests[method, path, status] = request
    return request
