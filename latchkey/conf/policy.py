"""Runtime settings: the policy that a superuser changes in the admin area while the service runs.

Three parts: `Policy` declares each setting with default, range and help text; `constance_config` describes them to
django-constance, which stores and edits them; `current_policy` reads them at most once a second. A bad value in the
table is clamped or replaced by the default, so that it cannot break a request.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import Field, dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import DatabaseError, connection, transaction

from latchkey.conf.durations import HighestDuration, LowestDuration
from latchkey.conf.text_settings import (
    Check,
    check_color,
    check_logo_url,
    check_site_name,
    check_support_email,
    check_web_url,
)


def _setting(  # noqa: PLR0913  # the last two are keyword-only
    group: str, default: Any, minimum: Any, maximum: Any, help_text: str, *, label: str = "", unit: str = ""
) -> Any:
    """Declare a setting with a range: a number, a duration or a switch.

    The label is made of the name where there is none; the unit stands after a number.
    """
    metadata = {"group": group, "minimum": minimum, "maximum": maximum, "help_text": help_text}
    return field(default=default, metadata=metadata | {"label": label, "unit": unit})


def _choice_setting(group: str, choices: Sequence[str], help_text: str, *, label: str = "") -> Any:
    """Declare a setting with a list of choices, of which the first is the default."""
    metadata = {"group": group, "choices": choices, "help_text": help_text, "label": label}
    return field(default=choices[0], metadata=metadata)


def label_of(setting: Field[Any]) -> str:
    """Return the label of a setting for people: "Access token lifetime"."""
    made = setting.name.replace("_", " ").replace("email", "e-mail").capitalize().replace("url", "URL")
    return str(setting.metadata.get("label") or made)


def _text_setting(group: str, check: Check, form: str, help_text: str) -> Any:
    """Declare a setting that is text, empty by default; `check` returns it as it is used, or raises ValueError."""
    return field(default="", metadata={"group": group, "check": check, "form": form, "help_text": help_text})


@dataclass(frozen=True, slots=True)
class Policy:
    """The runtime settings with their defaults; the name in capitals is the name in the admin area."""

    access_token_lifetime: timedelta = _setting(
        "Tokens",
        timedelta(seconds=30),
        timedelta(seconds=1),
        timedelta(hours=1),
        "How long an access token is valid. From 1 second to 1 hour. "
        "Services that validate tokens with the public keys accept a token until it expires, so keep it short.",
    )
    application_token_lifetime: timedelta = _setting(
        "Tokens",
        timedelta(minutes=5),
        timedelta(seconds=1),
        timedelta(hours=1),
        "How long an access token of an application is valid. From 1 second to 1 hour. Services that validate tokens "
        "with the public keys accept one until it expires, whatever has become of the application.",
    )
    refresh_token_lifetime: timedelta = _setting(
        "Tokens",
        timedelta(days=30),
        timedelta(seconds=1),
        timedelta(days=365),
        "Idle lifetime of a session: how long a device stays signed in without a refresh. Each refresh starts it "
        "again. From 1 second to 365 days.",
    )
    retry_window: timedelta = _setting(
        "Tokens",
        timedelta(seconds=10),
        timedelta(0),
        timedelta(seconds=60),
        "Grace period in which a reused refresh token returns the same new token to clients without an "
        "Idempotency-Key, so that a lost response or a second tab signs nobody out. From 0 (disabled) to 60 seconds.",
    )
    api_key_max_age: int = _setting(
        "Tokens",
        366,
        0,
        3650,
        "Maximum lifetime of a new API key; keys that exist keep theirs. From 1 to 3650 days; 0: a key may also live "
        "for ever.",
        label="Maximum lifetime of API keys",
        unit="days",
    )
    session_lifetime_cap: timedelta = _setting(
        "Sessions",
        timedelta(days=180),
        timedelta(seconds=1),
        timedelta(days=3650),
        "Maximum age of a session, counted from sign-in, even if it is in use. From 1 second to 3650 days.",
        label="Maximum session age",
    )
    sessions_per_user: int = _setting(
        "Sessions",
        100,
        1,
        10_000,
        "Maximum number of sessions of one user; a further sign-in ends the oldest. From 1 to 10000.",
        unit="sessions",
    )
    registration_open: bool = _setting("Accounts", True, False, True, "Whether anybody can register an account.")
    password_min_length: int = _setting(
        "Accounts",
        8,
        8,
        64,
        "Minimum length of a new password. From 8 to 64; NIST requires 15.",
        label="Minimum password length",
        unit="characters",
    )
    password_blocklist: bool = _setting(
        "Accounts",
        False,
        False,
        True,
        "Whether a new password is refused if it is on the list of common passwords.",
        label="Refuse common passwords",
    )
    email_verification: str = _choice_setting(
        "Accounts",
        ("off", "optional", "required"),
        "Whether users must verify their e-mail address. 'off': no mail is sent. 'optional': a mail is sent. "
        "'required': nobody can sign in before, and registration does not reveal which addresses have an account.",
    )
    second_factor: str = _choice_setting(
        "Accounts",
        ("optional", "off", "required_for_staff", "required"),
        "Whether accounts have a second factor at sign-in. 'optional': who wants one sets it up. 'off': nobody can set "
        "up a new one; those in use stay in force. 'required_for_staff' and 'required': who has none sets one up at "
        "the next sign-in.",
        label="Second factor",
    )
    recovery_delay: int = _setting(
        "Accounts",
        0,
        0,
        30,
        "Days that somebody who has lost every second factor waits until a mail lets them remove all of them; the "
        "owner is warned by mail each day, and can cancel. From 1 to 30; 0: off.",
        label="Recovery by mail after",
        unit="days",
    )
    notices: bool = _setting(
        "Accounts",
        True,
        False,
        True,
        "Whether users get a mail about a sign-in on a new device or from a new network, about a changed password, and "
        "about a session that ended because an old refresh token was used again.",
        label="Security notices by mail",
    )
    event_retention: timedelta = _setting(
        "Audit",
        timedelta(days=365),
        timedelta(days=1),
        timedelta(days=3650),
        "How long events of the audit log are kept. From 1 day to 3650 days.",
        label="Audit log retention",
    )
    failures_per_account: int = _setting(
        "Rate limits",
        10,
        2,
        100,
        "Failed sign-ins allowed per account before the next attempts must wait. From 2 to 100.",
        label="Failed sign-ins per account",
        unit="failures",
    )
    failures_per_address: int = _setting(
        "Rate limits",
        100,
        2,
        100_000,
        "Failed sign-ins allowed per IP address before the next attempts must wait; the counter decays by this number "
        "per hour. All sign-ins, right ones included, are limited to 100 times as many. From 2 to 100000.",
        label="Failed sign-ins per IP address",
        unit="failures",
    )
    registrations_per_address: int = _setting(
        "Rate limits",
        100,
        2,
        100_000,
        "Registrations allowed per IP address before the next attempts must wait; the counter decays by this number "
        "per hour. From 2 to 100000.",
        label="Registrations per IP address",
        unit="registrations",
    )
    site_name: str = _text_setting(
        "Pages and mails",
        check_site_name,
        "up to 60 characters",
        "Name of your site on pages and in mails. Empty: the host of LATCHKEY_PUBLIC_URL.",
    )
    app_url: str = _text_setting(
        "Pages and mails",
        check_web_url,
        "http or https URL",
        "Where the button 'Continue' leads after a password was set or an address was confirmed. Empty: no button.",
    )
    logo_url: str = _text_setting(
        "Pages and mails",
        check_logo_url,
        "http or https URL, or a path",
        "Image above the name on pages and in mails. Empty: no image.",
    )
    accent_color: str = _text_setting(
        "Pages and mails", check_color, "#rrggbb", "Colour of buttons and links on pages and in mails, as '#rrggbb'."
    )
    support_email: str = _text_setting(
        "Pages and mails",
        check_support_email,
        "e-mail address",
        "Address that pages and mails name for questions. Empty: none is named.",
    )


def constance_config(defaults: Policy) -> tuple[dict[str, Any], dict[str, list[str]], dict[str, list[Any]]]:
    """Return constance's CONFIG, CONFIG_FIELDSETS and ADDITIONAL_FIELDS; the setting's name in capitals is its key."""
    config: dict[str, Any] = {}
    groups: OrderedDict[str, list[str]] = OrderedDict()  # constance sorts a plain dict
    form_fields: dict[str, list[Any]] = {}
    for setting in fields(Policy):
        key, default = setting.name.upper(), getattr(defaults, setting.name)
        config[key] = (default, setting.metadata["help_text"], setting.name)
        groups.setdefault(setting.metadata["group"], []).append(key)
        form_fields[setting.name] = _form_field(setting, default)
    return config, groups, form_fields


TEXT_INPUT = "unfold.widgets.UnfoldAdminTextInputWidget"


def _form_field(setting: Field[Any], default: Any) -> list[Any]:
    if isinstance(default, bool):
        return ["django.forms.BooleanField", {"required": False, "widget": "unfold.widgets.UnfoldBooleanSwitchWidget"}]
    if choices := setting.metadata.get("choices"):
        pairs = [(choice, choice) for choice in choices]
        return ["django.forms.ChoiceField", {"choices": pairs, "widget": "unfold.widgets.UnfoldAdminSelectWidget"}]
    if check := setting.metadata.get("check"):
        text_options = {"required": False, "max_length": 1_000, "validators": [_as_validator(check)]}
        return ["django.forms.CharField", text_options | {"widget": "unfold.widgets.UnfoldAdminTextInputWidget"}]
    minimum, maximum, widget = setting.metadata["minimum"], setting.metadata["maximum"], TEXT_INPUT
    if isinstance(default, timedelta):
        limits = [LowestDuration(minimum), HighestDuration(maximum)]
        return ["latchkey.conf.durations.DurationField", {"validators": limits, "widget": widget}]
    return [
        "django.forms.IntegerField",
        {"validators": [MinValueValidator(minimum), MaxValueValidator(maximum)], "widget": widget},
    ]


def _as_validator(check: Check) -> Callable[[str], None]:
    def validate(text: str) -> None:
        try:
            check(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    return validate


CACHE_SECONDS = 1.0
"""Seconds after which every process has read a change (docs/settings.md promises 2)."""


def clamp(setting: Field[Any], value: Any, default: Any) -> Any:
    """Return the value within the setting's range, or the default if its type or choice is wrong.

    For a duration a bare number means seconds.
    """
    if choices := setting.metadata.get("choices"):
        return value if value in choices else default
    if check := setting.metadata.get("check"):
        try:
            return check(value) if isinstance(value, str) else default
        except ValueError:
            return default
    minimum, maximum = setting.metadata["minimum"], setting.metadata["maximum"]
    if isinstance(default, timedelta) and type(value) in (int, float):
        seconds = max(minimum.total_seconds(), min(maximum.total_seconds(), value))
        return timedelta(seconds=seconds)
    return max(minimum, min(maximum, value)) if type(value) is type(default) else default


def parse_policy(stored: dict[str, Any]) -> Policy:
    """Build a policy from the rows of the settings table, whatever they contain."""
    defaults = _defaults()
    values = {
        setting.name: clamp(setting, stored[setting.name.upper()], getattr(defaults, setting.name))
        for setting in fields(Policy)
        if setting.name.upper() in stored
    }
    return replace(defaults, **values)


class PolicyCache:
    """Process-wide cache of the policy, and when it was loaded (monotonic seconds).

    `read_at` is the start of the latest query, even of one that failed; `loaded_at` that of the latest successful one.
    """

    policy: Policy | None = None
    read_at = 0.0
    loaded_at = time.monotonic()


def current_policy() -> Policy:
    """Return the policy in force: from the cache, or with one query if the cache is older than a second.

    While the database is unavailable the last values stay in force, or the defaults if none were read yet.
    """
    if policy := cached_policy():
        return policy
    started_at = PolicyCache.read_at = time.monotonic()  # other threads use the last values while this one reads
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():  # a failure must not abort it
            PolicyCache.policy = parse_policy(_read())
        PolicyCache.loaded_at = started_at
    except DatabaseError:
        return PolicyCache.policy or _defaults()
    return PolicyCache.policy


def cached_policy() -> Policy | None:
    """Return the policy without a query; None if the cache is older than a second."""
    return PolicyCache.policy if time.monotonic() - PolicyCache.read_at < CACHE_SECONDS else None


def last_policy() -> Policy:
    """Return the values that were read last, without a query, for pages that must not need the database."""
    return PolicyCache.policy or _defaults()


def clear_cache() -> None:
    """Clear the cache: the next call of `current_policy` reads the table."""
    PolicyCache.policy = None


def _defaults() -> Policy:
    defaults: Policy = settings.POLICY_DEFAULTS
    return defaults


def _read() -> dict[str, Any]:
    from latchkey.conf.policy_backend import TolerantBackend  # noqa: PLC0415  # a model needs the app registry

    return TolerantBackend().mget(settings.CONSTANCE_CONFIG)
