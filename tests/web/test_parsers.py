"""latchkey.web.input: any bytes give a dict or an API error, and nothing else."""

import json
from contextlib import suppress
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from latchkey.conf.rest_framework import rest_framework_settings
from latchkey.core.exceptions import ContentTooLarge, DuplicateKey, ParseError, UnsupportedMediaType
from latchkey.web.input import StrictJSONParser

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
OBJECTS = st.dictionaries(st.text(), VALUES)
TOKENS = [b"{", b"}", b"[", b"]", b":", b",", b'"', b'"a"', b"1", b"-", b"NaN", b"1e999", b"\\u", b"\xff", b" "]


def parse(body: bytes, media_type: str = "application/json", **meta: str) -> dict[str, Any]:
    return StrictJSONParser().parse(BytesIO(body), media_type, {"request": SimpleNamespace(META=meta)})


@given(st.binary() | st.lists(st.sampled_from(TOKENS)).map(b"".join))
@example(b"[" * 60_000)
@example(b'{"a":' * 10_000)
@example(b'{"a": ' + b"9" * 10_000 + b"}")
@example(b"\xef\xbb\xbf{}")
def test_json_parser_returns_the_object_or_an_error_for_any_bytes(body: bytes) -> None:
    with suppress(ParseError, DuplicateKey):
        document = parse(body)
        assert type(document) is dict
        assert document == json.loads(body)


@given(OBJECTS, st.booleans())
def test_json_parser_returns_every_object_unchanged(document: dict[str, Any], ascii_only: bool) -> None:
    assert parse(json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")) == document


@given(OBJECTS, st.data())
def test_json_parser_refuses_a_truncated_body(document: dict[str, Any], data: st.DataObject) -> None:
    body = json.dumps(document).encode() + b" " * data.draw(st.integers(0, 3))
    cut = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(ParseError):
        parse(body[:cut], CONTENT_LENGTH=str(len(body)))
    assert parse(body, CONTENT_LENGTH=str(len(body))) == document


@given(VALUES.filter(lambda value: not isinstance(value, dict)))
def test_json_parser_refuses_anything_but_an_object(value: Any) -> None:
    with pytest.raises(ParseError):
        parse(json.dumps(value).encode())


@given(OBJECTS.filter(bool), st.data())
def test_json_parser_refuses_duplicate_keys_at_any_depth(document: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(document)))
    twice = f"{json.dumps(document)[:-1]}, {json.dumps(key)}: 1}}"
    for body in (twice, f'{{"x": [{twice}]}}'):
        with pytest.raises(DuplicateKey):
            parse(body.encode())


@given(st.text())
def test_json_parser_refuses_media_type_parameters_but_charset_utf_8(parameter: str) -> None:
    if parameter.strip().lower() not in ("charset=utf-8", 'charset="utf-8"'):
        with pytest.raises(UnsupportedMediaType):
            parse(b"{}", f"application/json;{parameter}")


@pytest.mark.parametrize("encoding", ["gzip", "", "identity, gzip", "x"])
def test_json_parser_refuses_any_content_encoding_but_identity(encoding: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        parse(b"{}", HTTP_CONTENT_ENCODING=encoding)
    assert parse(b"{}", HTTP_CONTENT_ENCODING="Identity") == {}


def test_json_parser_stops_reading_a_body_over_64_kilobytes() -> None:
    assert parse(b"{}".ljust(65_536)) == {}
    stream = BytesIO(b"{}".ljust(1_000_000))
    with pytest.raises(ContentTooLarge):
        StrictJSONParser().parse(stream, "application/json", {"request": SimpleNamespace(META={})})
    assert stream.tell() == 65_537


def test_browsable_pages_can_be_switched_off() -> None:
    renderers = [rest_framework_settings(browsable)["DEFAULT_RENDERER_CLASSES"] for browsable in (True, False)]
    assert renderers[0] == [*renderers[1], "latchkey.web.browsable.BrowsableRenderer"]
    assert renderers[1] == ["rest_framework.renderers.JSONRenderer"]
