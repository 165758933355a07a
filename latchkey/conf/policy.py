"""The knobs that a superuser turns in the admin while the service runs, as one frozen value.

The policy's knobs as django-constance shows them: grouped, explained and checked for their range.

The policy in force: the knobs as they stand in the settings table, read at most once a second.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import Field, dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import DatabaseError, connection, transaction


def _setting(group: str, default: Any, minimum: Any, maximum: Any, help_text: str) -> Any:
    """Declare a number, a duration or a switch, and its range."""
    return field(
        default=default, metadata={"group": group, "minimum": minimum, "maximum": maximum, "help_text": help_text}
    )


def _choice_setting(group: str, choices: Sequence[str], help_text: str) -> Any:
    """Declare a word out of these, the first one by default."""
    return field(default=choices[0], metadata={"group": group, "choices": choices, "help_text": help_text})


@dataclass(frozen=True, slots=True)
class Policy:
    """What the service does by default; each knob's name in capitals is its name in the admin."""

    access_token_lifetime: timedelta = _setting(
        "Tokens",
        timedelta(seconds=30),
        timedelta(seconds=1),
        timedelta(hours=1),
        "How long an access token is valid: 00:00:30 or 30 is half a minute. From 1 second to 1 hour. "
        "Other services trust a token until it ends, so keep it short.",
    )
    refresh_token_lifetime: timedelta = _setting(
        "Tokens",
        timedelta(days=30),
        timedelta(seconds=1),
        timedelta(days=365),
        "How long a device may stay away and still be signed in; each refresh starts it anew. "
        "'30 00:00:00' is thirty days. From 1 second to 365 days.",
    )
    retry_window: timedelta = _setting(
        "Tokens",
        timedelta(seconds=10),
        timedelta(0),
        timedelta(seconds=60),
        "For how long a spent refresh token is answered with the same new one again, so that a lost "
        "response or a second tab signs nobody out. From 0 (never) to 60 seconds.",
    )
    session_lifetime_cap: timedelta = _setting(
        "Sessions",
        timedelta(days=180),
        timedelta(seconds=1),
        timedelta(days=3650),
        "When a session ends however busy it is, counted from sign-in. From 1 second to 3650 days.",
    )
    sessions_per_user: int = _setting(
        "Sessions",
        100,
        1,
        10_000,
        "How many devices one user may have signed in; the oldest goes first. From 1 to 10000.",
    )
    registration_open: bool = _setting("Accounts", True, False, True, "Whether strangers can register an account.")
    password_min_length: int = _setting(
        "Accounts", 8, 8, 64, "The fewest characters a new password may have. From 8 to 64; NIST advises 15."
    )
    password_blocklist: bool = _setting(
        "Accounts", False, False, True, "Whether new passwords are refused that stand on the list of common ones."
    )
    email_verification: str = _choice_setting(
        "Accounts",
        ("off", "optional", "required"),
        "Whether people confirm that an e-mail address is theirs. 'off': nobody is asked. 'optional': they are sent a "
        "mail. 'required': nobody signs in before, and registration does not tell which addresses have an account.",
    )
    notices: bool = _setting(
        "Accounts",
        True,
        False,
        True,
        "Whether people are sent a mail when somebody signs in on a new device or a network that is new, when their "
        "password was changed, and when a spent token of theirs came back.",
    )
    event_retention: timedelta = _setting(
        "Audit",
        timedelta(days=365),
        timedelta(days=1),
        timedelta(days=3650),
        "How long events are kept. '365 00:00:00' is a year. From 1 day to 3650 days.",
    )
    failures_per_account: int = _setting(
        "Guessing", 10, 2, 100, "How many sign-ins may fail at one account before the next has to wait. From 2 to 100."
    )
    failures_per_address: int = _setting(
        "Guessing",
        100,
        2,
        100_000,
        "How many sign-ins may fail from one network address before the next has to wait; as many are forgotten "
        "in an hour. From 2 to 100000.",
    )
    registrations_per_address: int = _setting(
        "Guessing",
        10_000,
        2,
        100_000,
        "How many registrations one network address has before the next has to wait; as many are forgotten in an "
        "hour. From 2 to 100000.",
    )


def constance_config(defaults: Policy) -> tuple[dict[str, Any], dict[str, list[str]], dict[str, list[Any]]]:
    """Return constance's CONFIG, CONFIG_FIELDSETS and ADDITIONAL_FIELDS; a knob's name in capitals is its key."""
    config: dict[str, Any] = {}
    groups: OrderedDict[str, list[str]] = OrderedDict()  # constance sorts a plain dict
    form_fields: dict[str, list[Any]] = {}
    for knob in fields(Policy):
        key, default = knob.name.upper(), getattr(defaults, knob.name)
        config[key] = (default, knob.metadata["help_text"], knob.name)
        groups.setdefault(knob.metadata["group"], []).append(key)
        form_fields[knob.name] = _form_field(knob, default)
    return config, groups, form_fields


def _form_field(setting: Field[Any], default: Any) -> list[Any]:
    if isinstance(default, bool):
        return ["django.forms.BooleanField", {"required": False, "widget": "unfold.widgets.UnfoldBooleanSwitchWidget"}]
    if choices := setting.metadata.get("choices"):
        named = [(choice, choice) for choice in choices]
        return ["django.forms.ChoiceField", {"choices": named, "widget": "unfold.widgets.UnfoldAdminSelectWidget"}]
    kind = "DurationField" if isinstance(default, timedelta) else "IntegerField"
    ends = [MinValueValidator(setting.metadata["minimum"]), MaxValueValidator(setting.metadata["maximum"])]
    return [f"django.forms.{kind}", {"validators": ends, "widget": "unfold.widgets.UnfoldAdminTextInputWidget"}]


CACHE_SECONDS = 1.0
"""Seconds: a change is in force in every process within this time (the contract allows 2)."""


def clamp(setting: Field[Any], value: Any, default: Any) -> Any:
    """Return the value within the knob's range, or the default where it is not of the knob's type or choices.

    A bare number stands for seconds where the knob is a duration.
    """
    if choices := setting.metadata.get("choices"):
        return value if value in choices else default
    low, high = setting.metadata["minimum"], setting.metadata["maximum"]
    if isinstance(default, timedelta) and type(value) in (int, float):
        seconds = max(low.total_seconds(), min(high.total_seconds(), value))
        return timedelta(seconds=seconds)
    return max(low, min(high, value)) if type(value) is type(default) else default


def parse_policy(stored: dict[str, Any]) -> Policy:
    """Build a policy out of whatever the settings table holds: nothing in it can break a request."""
    defaults = _defaults()
    values = {
        knob.name: clamp(knob, stored[knob.name.upper()], getattr(defaults, knob.name))
        for knob in fields(Policy)
        if knob.name.upper() in stored
    }
    return replace(defaults, **values)


class PolicyCache:
    """The policy as it was last read, and when (monotonic seconds): one for the process, shared by its threads."""

    policy: Policy | None = None
    read_at = 0.0
    loaded_at = time.monotonic()


def current_policy() -> Policy:
    """Return the policy in force.

    One query, at most once a second in a process; while the database is away the last good values stay.
    """
    if policy := cached_policy():
        return policy
    asked_at = PolicyCache.read_at = time.monotonic()  # other threads go on with the last values while this one reads
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():  # which it must not break off
            PolicyCache.policy = parse_policy(_read())
        PolicyCache.loaded_at = asked_at
    except DatabaseError:
        return PolicyCache.policy or _defaults()
    return PolicyCache.policy


def cached_policy() -> Policy | None:
    """Return the policy without a query, None where one is due."""
    return PolicyCache.policy if time.monotonic() - PolicyCache.read_at < CACHE_SECONDS else None


def clear_cache() -> None:
    """Make the next question read the table again."""
    PolicyCache.policy = None


def _defaults() -> Policy:
    defaults: Policy = settings.POLICY_DEFAULTS
    return defaults


def _read() -> dict[str, Any]:
    from latchkey.conf.policy_backend import TolerantBackend  # noqa: PLC0415  # a model needs the app registry

    return TolerantBackend().mget(settings.CONSTANCE_CONFIG)
