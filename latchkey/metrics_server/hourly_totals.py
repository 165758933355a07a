"""Hourly event counts in the database, for the charts of the admin area where there is no Prometheus.

Each worker adds its new counts every 10 s, in one statement. The first worker of an hour also samples the live
sessions and deletes old counts and events.
"""

import time
from contextlib import suppress
from typing import Any

from django.db import Error, connection

from latchkey.audit.prune import prune as prune_events
from latchkey.conf import policy
from latchkey.core import clock
from latchkey.db.statements import fetch_all
from latchkey.metrics_server.live_sessions import estimate
from latchkey.metrics_server.models import HourlyCount
from latchkey.telemetry.metrics import EVENTS_TOTAL

INTERVAL = 10.0
"""Seconds between flushes; counts of the last ones are lost when a worker ends."""

HOUR = 3600
LIVE_SESSIONS = "sessions.live"
UPSERT = """
INSERT INTO latchkey_hourlycount (hour, name, count) VALUES {rows}
ON CONFLICT (hour, name) DO UPDATE SET count = latchkey_hourlycount.count + excluded.count
"""


def current_hour() -> int:
    """Return the current hour, counted from 1970 in UTC."""
    return int(clock.now().timestamp()) // HOUR


class HourlyFlusher:
    """Writes this worker's event counts to the database, as the difference to the last flush."""

    def __init__(self) -> None:
        self.flushed, self.hour = read_counters(), 0

    def flush(self) -> None:
        """Add the new counts to the current hour; raises Error, and then the next flush includes them.

        The rows are sorted by name, so that two workers cannot deadlock.
        """
        now, hour = read_counters(), current_hour()
        new = {name: count - self.flushed.get(name, 0) for name, count in sorted(now.items())}
        add_counts(hour, {name: count for name, count in new.items() if count})
        self.flushed = now
        if hour != self.hour:
            start_hour(hour)
            self.hour = hour

    def run(self) -> None:
        """Flush every 10 s until the process ends, without keeping a connection; a thread's main function."""
        while True:
            with suppress(Error):  # the requests log that the database is unavailable
                self.flush()
            connection.close()
            time.sleep(INTERVAL)


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


def start_hour(hour: int) -> None:
    """Sample the live sessions of an hour, and delete counts and events that are older than EVENT_RETENTION.

    The first worker of all nodes does it; what remains because that worker ends is deleted in the next hour.
    """
    if HourlyCount.objects.filter(hour=hour, name=LIVE_SESSIONS).exists():
        return
    sample = HourlyCount(hour=hour, name=LIVE_SESSIONS, count=estimate())
    HourlyCount.objects.bulk_create([sample], ignore_conflicts=True)
    retention = int(policy.current_policy().event_retention.total_seconds()) // HOUR
    HourlyCount.objects.filter(hour__lt=hour - retention).delete()
    sum(prune_events())
