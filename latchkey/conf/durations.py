"""Durations as people write them: "30 days", "12 h", "90 s"; and values of settings for people."""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import BaseValidator
from django.utils.dateparse import parse_duration

UNITS = ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
"""Seconds of each unit, the largest first; a prefix of the name is its abbreviation."""

SHOWN = UNITS[1:]
"""Units in which durations are shown: the largest that divides them."""

ABBREVIATIONS = {"min": 60, "mins": 60, "sec": 1, "secs": 1, "hr": 3_600, "hrs": 3_600}
PART = re.compile(r"([0-9]{1,12}) ?([a-z]+)")
SPELLINGS = re.compile(r"[0-9]{1,12} ?[a-z]+(?:(?: ?, ?| and | ?)[0-9]{1,12} ?[a-z]+)*")
"""One or more numbers with a unit: "30 days", "1 h 30 min", "1 day, 12 hours"."""

INVALID_DURATION = "This is not a duration. Type a number and a unit, such as 30 days, 12 h, 15 min or 90 s."


def readable(value: Any) -> str:
    """Return a value for people: "30 days" for a duration, "on" or "off" for a switch, "empty" for no text."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value == "":
        return "empty"
    if not isinstance(value, timedelta):
        return str(value)
    seconds = int(value.total_seconds())
    size, unit = next((size, unit) for size, unit in SHOWN if (seconds and seconds % size == 0) or size == 1)
    return f"{seconds // size} {unit}{'' if seconds == size else 's'}"


def parse(text: str) -> timedelta:
    """Return the duration: "30 days", "12 h", "90 s", and Django's spellings: "90", "00:01:30", "30 00:00:00".

    Raises ValueError for anything else.
    """
    text = " ".join(text.split())
    if SPELLINGS.fullmatch(text.lower()):
        return timedelta(seconds=sum(int(count) * _seconds(unit) for count, unit in PART.findall(text.lower())))
    found = parse_duration(text)
    if found is None:
        raise ValueError(INVALID_DURATION)
    return found


def _seconds(unit: str) -> int:
    """Return the seconds of a unit, by its name, singular or plural, or an abbreviation; raises ValueError."""
    for size, name in UNITS:
        if unit in (name, f"{name}s", name[0]):
            return size
    if unit not in ABBREVIATIONS:
        raise ValueError(INVALID_DURATION)
    return ABBREVIATIONS[unit]


class DurationField(forms.DurationField):
    """A form field that shows and reads durations as people write them."""

    def prepare_value(self, value: Any) -> Any:
        """Return what the input shows: "30 days"; what was typed stays as it is."""
        return readable(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> timedelta | None:
        """Return the duration; raises ValidationError with an example."""
        if value in self.empty_values:
            return None
        if isinstance(value, timedelta):
            return value
        try:
            return parse(str(value))
        except (ValueError, OverflowError) as error:
            raise ValidationError(INVALID_DURATION, code="invalid") from error


class LowestDuration(BaseValidator):
    """Validator of the shortest duration that a setting allows, with a sentence in units."""

    code = "min_value"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a < b)

    def __init__(self, limit: timedelta) -> None:
        super().__init__(limit, f"The shortest value is {readable(limit)}.")


class HighestDuration(BaseValidator):
    """Validator of the longest duration that a setting allows, with a sentence in units."""

    code = "max_value"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a > b)

    def __init__(self, limit: timedelta) -> None:
        super().__init__(limit, f"The longest value is {readable(limit)}.")
