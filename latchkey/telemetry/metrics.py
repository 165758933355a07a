"""What is counted on the way of a request; docs/metrics.md says what each number tells.

No label holds what a client chose: methods, routes, statuses and events are closed lists.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from latchkey.telemetry.route_labels import OTHER

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


def method_label(method: str) -> str:
    """Return the name that a method is counted under."""
    return method if method in METHODS else OTHER
