"""Periods of the dashboard, and the hourly counters in each of their columns."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import F, Max, Sum

from latchkey.metrics_server.hourly_totals import HOUR, LIVE_SESSIONS, current_hour
from latchkey.metrics_server.models import HourlyCount


@dataclass(frozen=True, slots=True)
class Period:
    """A period that ends now: a number of columns, of some hours each."""

    label: str
    columns: int
    hours: int

    def starts(self) -> list[int]:
        """Return the first hour of each column; columns of a day begin at midnight UTC."""
        last = current_hour() // self.hours
        return [number * self.hours for number in range(last - self.columns + 1, last + 1)]

    def label_for(self, hour: int) -> str:
        """Return the start of a column in UTC, with the time of day unless a column is a day or longer."""
        at = datetime.fromtimestamp(hour * HOUR, UTC)
        return f"{at:%Y-%m-%d}" if self.hours >= 24 else f"{at:%Y-%m-%d %H:%M}"


PERIODS = {
    "24h": Period("24 hours", 24, 1),
    "7d": Period("7 days", 28, 6),
    "30d": Period("30 days", 30, 24),
    "90d": Period("90 days", 30, 72),
}

Counts = Mapping[str, list[int | None]]


def counts_of(period: Period, names: list[str]) -> Counts:
    """Return the counts of these names for each column: the sum of events, the maximum of live sessions.

    This is one statement along the primary key, over 2,160 hours at most. A column without data is None: no worker
    reported then.
    """
    starts = period.starts()
    rows = (
        HourlyCount.objects.filter(hour__gte=starts[0], name__in=names)
        .values_list(F("hour") / period.hours, "name")
        .annotate(Sum("count"), Max("count"))
    )
    at = {start // period.hours: number for number, start in enumerate(starts)}
    counts: dict[str, list[int | None]] = defaultdict(lambda: [None] * len(starts))
    for column, name, total, most in rows:
        if column in at:  # a clock that was set back may have left some in the future
            counts[name][at[column]] = int(most if name == LIVE_SESSIONS else total)
    return counts
