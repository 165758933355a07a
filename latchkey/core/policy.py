"""The policy in force: the knobs as they stand in the settings table, read at most once a second."""

import time
from contextlib import nullcontext
from dataclasses import Field, fields, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from latchkey.core.knobs import Policy

READ_AT_MOST_EVERY = 1.0
"""Seconds: a change is in force in every process within this time (the contract allows 2)."""


def clamped(knob: Field[Any], value: Any, default: Any) -> Any:
    """Return the value within the knob's range, or the default where it is not of the knob's type or choices.

    A bare number stands for seconds where the knob is a duration.
    """
    if choices := knob.metadata.get("choices"):
        return value if value in choices else default
    low, high = knob.metadata["low"], knob.metadata["high"]
    if isinstance(default, timedelta) and type(value) in (int, float):
        seconds = max(low.total_seconds(), min(high.total_seconds(), value))
        return timedelta(seconds=seconds)
    return max(low, min(high, value)) if type(value) is type(default) else default


def from_stored(stored: dict[str, Any]) -> Policy:
    """Build a policy out of whatever the settings table holds: nothing in it can break a request."""
    defaults = _defaults()
    values = {
        knob.name: clamped(knob, stored[knob.name.upper()], getattr(defaults, knob.name))
        for knob in fields(Policy)
        if knob.name.upper() in stored
    }
    return replace(defaults, **values)


class Held:
    """The policy as it was last read, and when (monotonic seconds): one for the process, shared by its threads."""

    policy: Policy | None = None
    read_at = 0.0
    good_at = time.monotonic()


def current() -> Policy:
    """Return the policy in force.

    One query, at most once a second in a process; while the database is away the last good values stay.
    """
    if policy := held():
        return policy
    asked_at = Held.read_at = time.monotonic()  # other threads go on with the last values while this one reads
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():  # which it must not break off
            Held.policy = from_stored(_read())
        Held.good_at = asked_at
    except DatabaseError:
        return Held.policy or _defaults()
    return Held.policy


def held() -> Policy | None:
    """Return the policy without a query, None where one is due."""
    return Held.policy if time.monotonic() - Held.read_at < READ_AT_MOST_EVERY else None


def forget() -> None:
    """Make the next question read the table again."""
    Held.policy = None


def _defaults() -> Policy:
    defaults: Policy = settings.POLICY_DEFAULTS
    return defaults


def _read() -> dict[str, Any]:
    from latchkey.core.policy_table import PolicyTable  # noqa: PLC0415  # a model needs the app registry

    return PolicyTable().mget(settings.CONSTANCE_CONFIG)
