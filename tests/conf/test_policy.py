"""parse_policy and clamp: whatever the settings table holds, the policy is valid."""

from dataclasses import Field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from latchkey.conf.policy import Policy, clamp, parse_policy

POLICY_SETTINGS = {setting.name: setting for setting in fields(Policy)}
NAMES = pytest.mark.parametrize("name", POLICY_SETTINGS)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.timedeltas() | st.dates()
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=3)


GOOD_TEXTS = {
    "site_name": ("Zoë & Söhne, Inc.", "x" * 60, "{{ 7*7 }}"),
    "app_url": ("https://app.example.com", "http://localhost:3000/a?b=c#d"),
    "logo_url": ("/static/logo.svg", "https://cdn.example.com/logo.png"),
    "accent_color": ("#1a56c4", "#ffffff"),
    "support_email": ("support@example.com",),
}
"""Accepted values of the settings that are text."""


def within(setting: Field[Any], value: Any) -> bool:
    if choices := setting.metadata.get("choices"):
        return value in choices
    if check := setting.metadata.get("check"):
        return isinstance(value, str) and check(value) == value
    return type(value) is type(setting.default) and bool(
        setting.metadata["minimum"] <= value <= setting.metadata["maximum"]
    )


@NAMES
def test_clamp_keeps_the_default_and_both_bounds_of_each_setting(name: str) -> None:
    setting = POLICY_SETTINGS[name]
    ends = setting.metadata.get("choices") or GOOD_TEXTS.get(name)
    ends = ends or (setting.metadata["minimum"], setting.metadata["maximum"])
    for value in (setting.default, *ends):
        assert clamp(setting, value, setting.default) == value
        assert within(setting, value)


@NAMES
@settings(max_examples=40)
@given(value=ANYTHING)
def test_clamp_returns_a_value_of_the_settings_range_and_type_for_any_input(name: str, value: Any) -> None:
    assert within(POLICY_SETTINGS[name], clamp(POLICY_SETTINGS[name], value, POLICY_SETTINGS[name].default))


@pytest.mark.ledger("RFC6750-5.3", "ASVS-1.4.2")
@pytest.mark.parametrize(
    ("name", "stored", "expected"),
    [
        ("access_token_lifetime", timedelta(hours=2), timedelta(hours=1)),
        ("access_token_lifetime", timedelta(seconds=-5), timedelta(seconds=1)),
        ("access_token_lifetime", 45, timedelta(seconds=45)),
        ("access_token_lifetime", 1.5, timedelta(seconds=1.5)),
        ("access_token_lifetime", 10**30, timedelta(hours=1)),
        ("access_token_lifetime", "60", timedelta(seconds=30)),
        ("access_token_lifetime", True, timedelta(seconds=30)),
        ("retry_window", timedelta(minutes=5), timedelta(seconds=60)),
        ("retry_window", 0, timedelta(0)),
        ("refresh_token_lifetime", timedelta.max, timedelta(days=365)),
        ("sessions_per_user", 0, 1),
        ("sessions_per_user", 10**9, 10_000),
        ("sessions_per_user", True, 100),
        ("sessions_per_user", 5.0, 100),
        ("password_min_length", 1, 8),
        ("registration_open", 0, True),
        ("registration_open", False, False),
        ("password_blocklist", "yes", False),
        ("email_verification", "required", "required"),
        ("email_verification", "perhaps", "off"),
        ("email_verification", True, "off"),
        ("site_name", " Example \u00a0", "Example"),
        ("site_name", "Example\r\nBcc: mallory@example.com", ""),
        ("site_name", "</style><script>alert(1)</script>", ""),
        ("site_name", "Exa\u202emple", ""),
        ("site_name", "x" * 61, ""),
        ("site_name", 7, ""),
        ("app_url", "javascript:alert(1)", ""),
        ("app_url", "https://app.example.com@evil.example/", ""),
        ("app_url", "//evil.example", ""),
        ("app_url", 'https://app.example.com/">', ""),
        ("app_url", " https://app.example.com ", "https://app.example.com"),
        ("logo_url", "//evil.example/x.png", ""),
        ("logo_url", "/../x.png", ""),
        ("logo_url", "data:image/svg+xml,x", ""),
        ("logo_url", "https://a.example; script-src *", ""),
        ("accent_color", "red; background: url(//evil.example)", ""),
        ("accent_color", "#1a56c4;", ""),
        ("accent_color", "#ABC", "#aabbcc"),
        ("support_email", "Support <support@example.com>", ""),
        ("support_email", "a@example.com?bcc=b@example.com", ""),
        ("support_email", "a@example.com\nBcc: b@example.com", ""),
    ],
)
def test_clamp_moves_a_value_into_its_range_or_returns_the_default(name: str, stored: Any, expected: Any) -> None:
    assert clamp(POLICY_SETTINGS[name], stored, POLICY_SETTINGS[name].default) == expected


def test_parse_policy_uses_the_default_of_a_setting_that_is_not_stored() -> None:
    assert parse_policy({}) == Policy()
    assert parse_policy({"RETRY_WINDOW": timedelta(0)}) == Policy(retry_window=timedelta(0))
    with override_settings(POLICY_DEFAULTS=Policy(password_min_length=15)):
        assert parse_policy({"RETRY_WINDOW": timedelta(0)}).password_min_length == 15


@given(st.dictionaries(st.sampled_from([*map(str.upper, POLICY_SETTINGS), "UNKNOWN"]), ANYTHING))
def test_parse_policy_returns_a_valid_policy_for_any_stored_values(stored: dict[str, Any]) -> None:
    policy = parse_policy(stored)
    assert all(within(setting, getattr(policy, name)) for name, setting in POLICY_SETTINGS.items())
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    assert moment + policy.refresh_token_lifetime > moment
