"""The clock: the only place that reads the time of day, so that a test can move it.

Durations are measured with `time.monotonic`, not with this.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time, timezone-aware and in UTC."""
    return datetime.now(UTC)
