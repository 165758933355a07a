"""Each worker adds what it has counted to the tallies, every ten seconds in one statement."""

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
"""Seconds: so much of what a worker has counted is lost at most when it ends."""

HOUR = 3600
LIVE_SESSIONS = "sessions.live"
UPSERT = """
INSERT INTO latchkey_hourlycount (hour, name, count) VALUES {rows}
ON CONFLICT (hour, name) DO UPDATE SET count = latchkey_hourlycount.count + excluded.count
"""


def current_hour() -> int:
    """Return the hour that it is, counted from 1970 in UTC."""
    return int(clock.now().timestamp()) // HOUR


class HourlyFlusher:
    """What this worker has counted since it last said so."""

    def __init__(self) -> None:
        self.flushed, self.hour = read_counters(), 0

    def flush(self) -> None:
        """Add what is new to the hour that it is; raises Error, and then tells it the next time.

        The rows go in by name, so that two workers never wait for each other's.
        """
        now, hour = read_counters(), current_hour()
        new = {name: count - self.flushed.get(name, 0) for name, count in sorted(now.items())}
        add_counts(hour, {name: count for name, count in new.items() if count})
        self.flushed = now
        if hour != self.hour:
            start_hour(hour)
            self.hour = hour

    def run(self) -> None:
        """Do so for as long as the process lives; no connection is kept meanwhile."""
        while True:
            with suppress(Error):  # requests tell of a database that is away
                self.flush()
            connection.close()
            time.sleep(INTERVAL)


def read_counters() -> dict[str, int]:
    """Return how often each event has happened, as this process counts."""
    (family,) = EVENTS_TOTAL.collect()
    return {sample.labels["event"]: int(sample.value) for sample in family.samples}


def add_counts(hour: int, counts: dict[str, int]) -> None:
    """Add to the tallies of an hour, in one statement; none where there is nothing to add."""
    facts: dict[str, Any] = {"hour": hour}
    for number, (name, count) in enumerate(counts.items()):
        facts |= {f"name{number}": name, f"count{number}": count}
    rows = ", ".join(f"(%(hour)s, %(name{number})s, %(count{number})s)" for number in range(len(counts)))
    if rows:
        fetch_all(UPSERT.format(rows=rows), facts)


def start_hour(hour: int) -> None:
    """Sample the live sessions of an hour, and forget tallies and events that are too old.

    The first worker does it for those of all nodes; what it leaves undone because it ends is done in the next hour.
    """
    if HourlyCount.objects.filter(hour=hour, name=LIVE_SESSIONS).exists():
        return
    sample = HourlyCount(hour=hour, name=LIVE_SESSIONS, count=estimate())
    HourlyCount.objects.bulk_create([sample], ignore_conflicts=True)
    kept = int(policy.current_policy().event_retention.total_seconds()) // HOUR
    HourlyCount.objects.filter(hour__lt=hour - kept).delete()
    sum(prune_events())
