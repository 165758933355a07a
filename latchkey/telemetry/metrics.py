"""Prometheus metrics of requests and events; docs/metrics.md describes each.

Label values are closed lists (methods, routes, statuses, events): a client cannot create new time series.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from latchkey.telemetry.route_labels import OTHER

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Seconds. A refresh takes 1 ms, a sign-in 50 ms, and the database timeout is 5 s."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped; a `_created` line per metric, which nobody reads
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
    """Return the value of the label `method`: the HTTP method if it is one of the usual seven, else 'other'."""
    return method if method in METHODS else OTHER
