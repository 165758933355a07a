"""Values of settings as people write them: "30 days", "on"."""

from datetime import timedelta
from typing import Any

SHOWN = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
"""Seconds of each unit, the largest first: a duration is shown in the largest unit that divides it."""


def readable(value: Any) -> str:
    """Return a value for people: "30 days" for a duration, "on" or "off" for a switch."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, timedelta):
        return str(value)
    seconds = int(value.total_seconds())
    size, unit = next((size, unit) for size, unit in SHOWN if (seconds and seconds % size == 0) or size == 1)
    return f"{seconds // size} {unit}{'' if seconds == size else 's'}"
