"""The knobs that a superuser turns in the admin while the service runs, as one frozen value."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


def _knob(group: str, default: Any, low: Any, high: Any, explained: str) -> Any:
    """Declare a number, a duration or a switch, and its range."""
    return field(default=default, metadata={"group": group, "low": low, "high": high, "explained": explained})


def _choice(group: str, choices: Sequence[str], explained: str) -> Any:
    """Declare a word out of these, the first one by default."""
    return field(default=choices[0], metadata={"group": group, "choices": choices, "explained": explained})


@dataclass(frozen=True, slots=True)
class Policy:
    """What the service does by default; each knob's name in capitals is its name in the admin."""

    access_token_lifetime: timedelta = _knob(
        "Tokens",
        timedelta(seconds=30),
        timedelta(seconds=1),
        timedelta(hours=1),
        "How long an access token is valid: 00:00:30 or 30 is half a minute. From 1 second to 1 hour. "
        "Other services trust a token until it ends, so keep it short.",
    )
    refresh_token_lifetime: timedelta = _knob(
        "Tokens",
        timedelta(days=30),
        timedelta(seconds=1),
        timedelta(days=365),
        "How long a device may stay away and still be signed in; each refresh starts it anew. "
        "'30 00:00:00' is thirty days. From 1 second to 365 days.",
    )
    retry_window: timedelta = _knob(
        "Tokens",
        timedelta(seconds=10),
        timedelta(0),
        timedelta(seconds=60),
        "For how long a spent refresh token is answered with the same new one again, so that a lost "
        "response or a second tab signs nobody out. From 0 (never) to 60 seconds.",
    )
    session_lifetime_cap: timedelta = _knob(
        "Sessions",
        timedelta(days=180),
        timedelta(seconds=1),
        timedelta(days=3650),
        "When a session ends however busy it is, counted from sign-in. From 1 second to 3650 days.",
    )
    sessions_per_user: int = _knob(
        "Sessions",
        100,
        1,
        10_000,
        "How many devices one user may have signed in; the oldest goes first. From 1 to 10000.",
    )
    registration_open: bool = _knob("Accounts", True, False, True, "Whether strangers can register an account.")
    password_min_length: int = _knob(
        "Accounts", 8, 8, 64, "The fewest characters a new password may have. From 8 to 64; NIST advises 15."
    )
    password_blocklist: bool = _knob(
        "Accounts", False, False, True, "Whether new passwords are refused that stand on the list of common ones."
    )
    email_verification: str = _choice(
        "Accounts",
        ("off", "optional", "required"),
        "Whether people confirm that an e-mail address is theirs. 'off': nobody is asked. 'optional': they are sent a "
        "mail. 'required': nobody signs in before, and registration does not tell which addresses have an account.",
    )
    notices: bool = _knob(
        "Accounts",
        True,
        False,
        True,
        "Whether people are sent a mail when somebody signs in on a new device or a network that is new, when their "
        "password was changed, and when a spent token of theirs came back.",
    )
    event_retention: timedelta = _knob(
        "Audit",
        timedelta(days=365),
        timedelta(days=1),
        timedelta(days=3650),
        "How long events are kept. '365 00:00:00' is a year. From 1 day to 3650 days.",
    )
    failures_per_account: int = _knob(
        "Guessing", 10, 2, 100, "How many sign-ins may fail at one account before the next has to wait. From 2 to 100."
    )
    failures_per_address: int = _knob(
        "Guessing",
        100,
        2,
        100_000,
        "How many sign-ins may fail from one network address before the next has to wait; as many are forgotten "
        "in an hour. From 2 to 100000.",
    )
    registrations_per_address: int = _knob(
        "Guessing",
        10_000,
        2,
        100_000,
        "How many registrations one network address has before the next has to wait; as many are forgotten in an "
        "hour. From 2 to 100000.",
    )
