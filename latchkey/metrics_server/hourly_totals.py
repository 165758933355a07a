"""Hourly event counts in the database, for the charts of the admin area where there is no Prometheus.

Each worker adds its new counts every 10 s, in one statement. The first worker of all nodes in an hour also samples the
live sessions, and prunes for the rest of that hour.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.db import Error, connection

from latchkey.conf import policy
from latchkey.core import clock
from latchkey.db.statements import fetch_all
from latchkey.metrics_server.live_sessions import estimate
from latchkey.metrics_server.models import HourlyCount
from latchkey.metrics_server.pruning import prune_all
from latchkey.telemetry.metrics import EVENTS_TOTAL

INTERVAL = 10.0
"""Seconds between flushes; counts of the last ones are lost when a worker ends."""

HOUR = 3600
CLAIM = """
INSERT INTO latchkey_hourlycount (hour, name, count) VALUES (%(hour)s, %(name)s, %(count)s)
ON CONFLICT DO NOTHING RETURNING hour
"""
LIVE_SESSIONS = "sessions.live"
UPSERT = """
INSERT INTO latchkey_hourlycount (hour, name, count) VALUES {rows}
ON CONFLICT (hour, name) DO UPDATE SET count = latchkey_hourlycount.count + excluded.count
"""


def current_hour() -> int:
    """Return the current hour, counted from 1970 in UTC."""
    return int(clock.now().timestamp()) // HOUR


class HourlyFlusher:
    """Writes this worker's event counts to the database, as the difference to the last flush, and prunes between."""

    def __init__(self) -> None:
        self.flushed, self.hour = read_counters(), 0
        self.pruning: Iterator[int] = iter(())

    def flush(self) -> None:
        """Add the new counts to the current hour; raises Error, and then the next flush includes them.

        The rows are sorted by name, so that two workers cannot deadlock.
        """
        now, hour = read_counters(), current_hour()
        new = {name: count - self.flushed.get(name, 0) for name, count in sorted(now.items())}
        add_counts(hour, {name: count for name, count in new.items() if count})
        self.flushed = now
        if hour != self.hour:
            self.pruning = prune_all() if claim_hour(hour) else iter(())
            self.hour = hour

    def run(self) -> None:
        """Flush every 10 s until the process ends, without keeping a connection; a thread's main function."""
        while True:
            next_flush = time.monotonic() + INTERVAL
            with suppress(Error):  # the requests log that the database is unavailable
                self.flush()
                self.prune(next_flush)
            connection.close()
            time.sleep(max(0, next_flush - time.monotonic()))

    def prune(self, deadline: float) -> None:
        """Prune until this time, if this worker has claimed the hour; raises Error, and then the next hour goes on."""
        for _ in self.pruning:
            if time.monotonic() >= deadline:
                return


def read_counters() -> dict[str, int]:
    """Return this process' count of each event."""
    (family,) = EVENTS_TOTAL.collect()
    return {sample.labels["event"]: int(sample.value) for sample in family.samples}


def add_counts(hour: int, counts: dict[str, int]) -> None:
    """Add to the counts of an hour, in one statement; none if there is nothing to add."""
    parameters: dict[str, Any] = {"hour": hour}
    for number, (name, count) in enumerate(counts.items()):
        parameters |= {f"name{number}": name, f"count{number}": count}
    rows = ", ".join(f"(%(hour)s, %(name{number})s, %(count{number})s)" for number in range(len(counts)))
    if rows:
        fetch_all(UPSERT.format(rows=rows), parameters)


def claim_hour(hour: int) -> bool:
    """Return whether this worker is the first one of all nodes in an hour. It stores a sample of the live sessions.

    It also deletes counts that are older than EVENT_RETENTION. If the worker ends, the rest of the hour prunes nothing.
    """
    if HourlyCount.objects.filter(hour=hour, name=LIVE_SESSIONS).exists():
        return False
    if not fetch_all(CLAIM, {"hour": hour, "name": LIVE_SESSIONS, "count": estimate()}):
        return False
    retention = int(policy.current_policy().event_retention.total_seconds()) // HOUR
    HourlyCount.objects.filter(hour__lt=hour - retention).delete()
    return True
