"""What is counted on the way of a request; docs/metrics.md says what each number tells.

No label holds what a client chose: methods, routes, statuses and events are closed lists.
"""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from latchkey.telemetry.multiprocess import enable
from latchkey.telemetry.route_labels import OTHER, route_label, route_table

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Seconds: a refresh takes one, a password fifty thousandths; a request gives up on the database after five."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a number began: one more line for each, that nothing here reads
REGISTRY = CollectorRegistry()
REQUEST_DURATION = Histogram(
    "latchkey_request_duration_seconds",
    "Time from a request that has arrived whole to its answer.",
    ["method", "route", "status"],
    registry=REGISTRY,
    buckets=BUCKETS,
)
EVENTS_TOTAL = Counter("latchkey_events", "Events, as in the log.", ["event"], registry=REGISTRY)

_requests: dict[tuple[str, str, int], Histogram] = {}
_events: dict[str, Counter] = {}


def observe_request(method: str, path: str, status: int, seconds: float) -> None:
    """Count a request, and how long it took: the count of the histogram is that of the requests."""
    try:
        request = _requests[method, path, status]
    except KeyError:
        request = _labels_for(method, path, status)
    request.observe(seconds)


def method_label(method: str) -> str:
    """Return the name that a method is counted under."""
    return method if method in METHODS else OTHER


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
