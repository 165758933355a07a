"""Each worker adds what it has counted to the tallies, every ten seconds in one statement."""

import time
from contextlib import suppress
from typing import Any

from django.db import Error, connection

from latchkey.audit.prune import prune as prune_events
from latchkey.conf import policy
from latchkey.core import clock
from latchkey.db.cursor import fetch
from latchkey.metrics_server.live_sessions import estimated
from latchkey.metrics_server.models import Tally
from latchkey.telemetry.metrics import EVENTS

EVERY = 10.0
"""Seconds: so much of what a worker has counted is lost at most when it ends."""

HOUR = 3600
LIVE = "sessions.live"
ADD = """
INSERT INTO latchkey_tally (hour, name, count) VALUES {rows}
ON CONFLICT (hour, name) DO UPDATE SET count = latchkey_tally.count + excluded.count
"""


def hour_now() -> int:
    """Return the hour that it is, counted from 1970 in UTC."""
    return int(clock.now().timestamp()) // HOUR


class Tallies:
    """What this worker has counted since it last said so."""

    def __init__(self) -> None:
        self.told, self.hour = counted(), 0

    def tell(self) -> None:
        """Add what is new to the hour that it is; raises Error, and then tells it the next time.

        The rows go in by name, so that two workers never wait for each other's.
        """
        now, hour = counted(), hour_now()
        new = {name: count - self.told.get(name, 0) for name, count in sorted(now.items())}
        add(hour, {name: count for name, count in new.items() if count})
        self.told = now
        if hour != self.hour:
            begin(hour)
            self.hour = hour

    def keep_telling(self) -> None:
        """Do so for as long as the process lives; no connection is kept meanwhile."""
        while True:
            with suppress(Error):  # requests tell of a database that is away
                self.tell()
            connection.close()
            time.sleep(EVERY)


def counted() -> dict[str, int]:
    """Return how often each event has happened, as this process counts."""
    (family,) = EVENTS.collect()
    return {sample.labels["event"]: int(sample.value) for sample in family.samples}


def add(hour: int, counts: dict[str, int]) -> None:
    """Add to the tallies of an hour, in one statement; none where there is nothing to add."""
    facts: dict[str, Any] = {"hour": hour}
    for number, (name, count) in enumerate(counts.items()):
        facts |= {f"name{number}": name, f"count{number}": count}
    rows = ", ".join(f"(%(hour)s, %(name{number})s, %(count{number})s)" for number in range(len(counts)))
    if rows:
        fetch(ADD.format(rows=rows), facts)


def begin(hour: int) -> None:
    """Sample the live sessions of an hour, and forget tallies and events that are too old.

    The first worker does it for those of all nodes; what it leaves undone because it ends is done in the next hour.
    """
    if Tally.objects.filter(hour=hour, name=LIVE).exists():
        return
    sample = Tally(hour=hour, name=LIVE, count=estimated())
    Tally.objects.bulk_create([sample], ignore_conflicts=True)
    kept = int(policy.current().event_retention.total_seconds()) // HOUR
    Tally.objects.filter(hour__lt=hour - kept).delete()
    sum(prune_events())
