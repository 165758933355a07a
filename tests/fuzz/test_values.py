"""Parsers of single values: valid values come back unchanged, and all others are rejected."""

from urllib.parse import quote
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import example, given
from hypothesis import strategies as st

from latchkey.conf.database import parse_database_url
from latchkey.conf.env import Env
from latchkey.sessions.serializers import RefreshInput
from tests.fuzz.strategies import DERANDOMIZED, JSON

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
SPACES = st.sampled_from(["", " ", "  ", "\t"])
ON, OFF = {"on", "true", "yes", "1"}, {"off", "false", "no", "0"}


def variable(text: str) -> Env:
    return Env({"LATCHKEY_X": text})


@DERANDOMIZED
@given(JSON | st.uuids().map(str) | st.from_regex(r"[0-9a-fA-F{}:-]{30,40}"))
@example("{2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42}")
@example("2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42\n")
@example("2f9c1f0e8a514c6d9d0e6b1f3a7c5e42")
@example("٢f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42")
def test_refresh_input_accepts_only_a_canonical_uuid(value: object) -> None:
    fields = RefreshInput(data={"refresh_token": value})
    if fields.is_valid():
        assert isinstance(value, str)
        assert str(fields.validated_data["refresh_token"]) == value.lower()
    else:
        assert list(fields.errors) == ["refresh_token"]


@DERANDOMIZED
@given(st.uuids(), st.booleans())
def test_refresh_input_accepts_every_uuid_in_upper_and_lower_case(token: UUID, upper: bool) -> None:
    fields = RefreshInput(data={"refresh_token": str(token).upper() if upper else str(token)})
    assert fields.is_valid(), fields.errors
    assert fields.validated_data["refresh_token"] == token


@DERANDOMIZED
@given(TEXT | st.sampled_from([*ON, *OFF, "On", "TRUE", " on", "2", ""]))
def test_env_get_bool_returns_a_boolean_or_raises_with_the_variable_name(text: str) -> None:
    if text.lower() in ON | OFF:
        assert variable(text).get_bool("LATCHKEY_X", default=False) == (text.lower() in ON)
        return
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_X is "):
        variable(text).get_bool("LATCHKEY_X", default=True)


@DERANDOMIZED
@given(st.integers(0, 10**20), TEXT | st.sampled_from(["", "-1", "+1", " 1", "1.0", "1_0", "٣", "²", "0x1"]))
@example(1, "9" * 5000)
def test_env_get_int_returns_a_whole_number_or_raises_with_the_variable_name(number: int, text: str) -> None:
    assert variable(str(number)).get_int("LATCHKEY_X", 0) == number
    if text.isascii() and text.isdigit() and len(text) < 100:
        assert variable(text).get_int("LATCHKEY_X", 0) == int(text)
        return
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_X is "):
        variable(text).get_int("LATCHKEY_X", 0)


@DERANDOMIZED
@given(st.lists(TEXT.map(lambda word: word.replace(",", "").strip()).filter(bool)), SPACES)
def test_env_get_list_returns_the_words_that_were_joined(words: list[str], space: str) -> None:
    assert variable(f"{space},{space}".join(words)).get_list("LATCHKEY_X", ["default"]) == (words or ["default"])


@DERANDOMIZED
@given(TEXT | st.sampled_from(["development", "production", "Production", "production "]))
def test_env_get_choice_returns_a_choice_or_raises_with_the_variable_name(text: str) -> None:
    if text in ("development", "production"):
        assert variable(text).get_choice("LATCHKEY_X", "development", "production") == text
        return
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_X is "):
        variable(text).get_choice("LATCHKEY_X", "development", "production")


@DERANDOMIZED
@given(TEXT, TEXT, TEXT)
def test_parse_database_url_decodes_every_percent_encoded_part(user: str, password: str, name: str) -> None:
    url = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@db:5433/{quote(name, safe='')}"
    settings = parse_database_url(url)
    parts = [settings[part] for part in ("USER", "PASSWORD", "HOST", "PORT", "NAME")]
    assert parts == [user, password, "db", "5433", name]
    assert parse_database_url(f"sqlite:///{quote(name, safe='')}")["NAME"] == name
