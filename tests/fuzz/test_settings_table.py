"""The settings table with any text: the policy stays within its ranges, and valid values are kept."""

import json
from dataclasses import Field, fields
from datetime import timedelta
from typing import Any

import httpx
from constance.codecs import dumps
from constance.models import Constance
from hypothesis import example, given
from hypothesis import strategies as st

from latchkey.conf import policy
from latchkey.conf.policy import Policy
from tests.conf.test_policy import GOOD_TEXTS
from tests.fuzz.strategies import DERANDOMIZED, JSON

POLICY_SETTINGS = {setting.name: setting for setting in fields(Policy)}
NAMES = st.sampled_from(sorted(POLICY_SETTINGS))
KINDS = st.sampled_from(["default", "timedelta", "datetime", "date", "time", "decimal", "uuid", "bytes", "x"])
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
STORED = (
    TEXT
    | JSON.map(json.dumps)
    | st.builds(lambda kind, of: json.dumps({"__type__": kind, "__value__": of}), KINDS, JSON)
)


def choices(setting: Field[Any]) -> tuple[str, ...]:
    return tuple(setting.metadata.get("choices", ()))


def with_row(name: str, text: str) -> Policy:
    Constance.objects.update_or_create(key=name.upper(), defaults={"value": text})
    policy.clear_cache()
    try:
        return policy.current_policy()
    finally:
        Constance.objects.filter(key=name.upper()).delete()
        policy.clear_cache()


@DERANDOMIZED
@given(name=NAMES, text=STORED)
@example("access_token_lifetime", '{"__type__": "timedelta", "__value__": 1e308}')
@example("access_token_lifetime", "[" * 5000)
@example("sessions_per_user", "9" * 5000)
def test_policy_stays_in_range_with_any_text_in_the_settings_table(http: httpx.Client, name: str, text: str) -> None:
    changed = with_row(name, text)
    for setting in POLICY_SETTINGS.values():
        value = getattr(changed, setting.name)
        assert type(value) is type(setting.default)
        if check := setting.metadata.get("check"):
            assert check(value) == value
        else:
            assert value in choices(setting) or setting.metadata["minimum"] <= value <= setting.metadata["maximum"]
        assert setting.name == name or value == setting.default


@DERANDOMIZED
@given(name=NAMES, data=st.data())
def test_policy_returns_a_stored_value_in_range_unchanged(http: httpx.Client, name: str, data: st.DataObject) -> None:
    if options := choices(POLICY_SETTINGS[name]):
        option = data.draw(st.sampled_from(options))
        assert getattr(with_row(name, dumps(option)), name) == option
        return
    if texts := GOOD_TEXTS.get(name):
        text = data.draw(st.sampled_from(texts))
        assert getattr(with_row(name, dumps(text)), name) == text
        return
    low, high = POLICY_SETTINGS[name].metadata["minimum"], POLICY_SETTINGS[name].metadata["maximum"]
    kinds: dict[type, Any] = {bool: lambda *_: st.booleans(), int: st.integers, timedelta: st.timedeltas}
    value = data.draw(kinds[type(low)](low, high))
    assert getattr(with_row(name, dumps(value)), name) == value
    if isinstance(value, timedelta):
        seconds = value // timedelta(seconds=1)
        assert getattr(with_row(name, dumps(seconds)), name) == max(low, timedelta(seconds=seconds))
