"""Strict input: parsers of JSON and forms, and serializer fields that convert nothing.

DRF's own parsers accept duplicate keys and NaN, and its fields turn numbers and booleans into text. A body is measured
before it is read.
"""

import json
import re
from collections.abc import Mapping
from typing import IO, Any, TypeGuard
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import BaseParser

from latchkey.core.exceptions import (
    PASSWORD_MAX_LENGTH,
    ContentTooLarge,
    DuplicateKey,
    InvalidInput,
    ParseError,
    PasswordTooLong,
    UnsupportedMediaType,
)
from latchkey.tokens.refresh_token import UUID_PATTERN

INVALID_IDEMPOTENCY_KEY = "Send 16 to 64 printable ASCII characters, or leave the header out."
_IDEMPOTENCY_KEY = re.compile(r'"([ -!#-~]{16,64})"|([!#-~][ -~]{14,62}[!-~])')


MAX_TOKEN_INPUT = 1_000
"""Characters of a token with what mail programs have made of it."""

_NOT_OF_A_TOKEN = re.compile(r"[^\x21-\x7e]+|=\s")
_TOKEN = re.compile(r"(?:3D(?=[A-Za-z0-9_-]{43}))?([A-Za-z0-9_-]{43})")
"""A token, without the 3D of quoted-printable where a whole token follows it: one in 4,096 tokens begins with 3D."""


class StrictJSONParser(BaseParser):
    """Parser of one JSON object (RFC 8259): UTF-8 without byte-order mark, no duplicate key, no NaN, at most 64 kB."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the object; raises UnsupportedMediaType, ContentTooLarge, ParseError or DuplicateKey."""
        return parse_json_object(_read_limited(self, stream, media_type, parser_context))


class StrictFormParser(BaseParser):
    """Parser of one form in UTF-8 (RFC 6749 appendix B) of at most 64 kB."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str | list[str]]:
        """Return the parameters; raises UnsupportedMediaType, ContentTooLarge or ParseError."""
        return parse_form(_read_limited(self, stream, media_type, parser_context))


def _read_limited(
    parser: BaseParser, stream: IO[Any], media_type: str | None, context: Mapping[str, Any] | None
) -> bytes:
    meta = (context or {})["request"].META
    encoding = meta.get("HTTP_CONTENT_ENCODING", "identity").lower()
    if encoding != "identity" or not _is_in_utf8(media_type or "", str(parser.media_type)):
        raise UnsupportedMediaType(headers={"Accept": str(parser.media_type)})
    body: bytes = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise ContentTooLarge
    if len(body) < int(meta.get("CONTENT_LENGTH") or 0):
        raise ParseError  # it broke off; what has arrived may well be whole, but is not what was meant
    return body


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a complete body; raises ParseError or DuplicateKey."""
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        raise ParseError from error
    if not isinstance(document, dict):
        raise ParseError
    return document


def parse_form(body: bytes) -> dict[str, str | list[str]]:
    """Return the parameters of a form, a list where one came more than once; raises ParseError.

    One without a value counts as left out (RFC 6749 section 3.2).
    """
    try:
        parameters = parse_qs(body.decode("ascii"), strict_parsing=True, errors="strict")
    except ValueError as error:
        raise ParseError from error
    return {name: values[0] if len(values) == 1 else values for name, values in parameters.items()}


def is_json_utf8(content_type: str) -> bool:
    return _is_in_utf8(content_type, "application/json")


def is_form_utf8(content_type: str) -> bool:
    return _is_in_utf8(content_type, "application/x-www-form-urlencoded")


def _is_in_utf8(content_type: str, expected: str) -> bool:
    """Tell whether the content type is exactly the expected one (DRF accepts wildcards), in UTF-8."""
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    return media_type == expected and set(parameters) <= {"charset=utf-8", 'charset="utf-8"'}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise DuplicateKey
    return keys


def _reject_constant(constant: str) -> None:
    raise ParseError


def read_idempotency_key(meta: Mapping[str, Any]) -> str:
    """Return the Idempotency-Key of a request, empty without the header; raises InvalidInput for one that is none."""
    header = meta.get("HTTP_IDEMPOTENCY_KEY")
    if header is None:
        return ""
    if key := normalize_idempotency_key(header):
        return key
    raise InvalidInput({"Idempotency-Key": [INVALID_IDEMPOTENCY_KEY]})


def normalize_idempotency_key(header: str) -> str:
    """Return the key of an Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header), empty for none.

    It is a structured-field string, in quotation marks; most clients send the characters alone, which mean the same.
    """
    matched = _IDEMPOTENCY_KEY.fullmatch(header.strip())
    return (matched[1] or matched[2]) if matched else ""


def trim_link_token(text: str) -> str:
    """Return the token of a link without what mail programs do to it, or the text itself where there is none in it.

    They append the full stop, bracket or space that follows the link, or a parameter of their own; they break the line
    in the token, and leave the `=3D` of quoted-printable (RFC 2045 section 6.7) behind.
    """
    if len(text) > MAX_TOKEN_INPUT:
        return text
    joined = _NOT_OF_A_TOKEN.sub("", text)
    found = _TOKEN.search(joined)
    return found[1] if found else text


def is_canonical_uuid(data: Any) -> TypeGuard[str]:
    """Tell whether this is a UUID in its canonical form of 36 characters (RFC 9562 section 4), in either case."""
    return isinstance(data, str) and bool(UUID_PATTERN.fullmatch(data))


class StrictCharField(serializers.CharField):
    """Text of a JSON string, without conversion and without trimming."""

    default_error_messages = {"not_a_string": "This must be a string."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and not isinstance(data, str):
            self.fail("not_a_string")
        return super().run_validation(data)


class PasswordField(StrictCharField):
    """A password, taken exactly as sent; one over the maximum length is refused before anything is hashed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": PASSWORD_MAX_LENGTH, "help_text": "Taken exactly as sent.", **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Check the length first, with an error code of its own; raises PasswordTooLong or ValidationError."""
        if isinstance(data, str) and len(data) > PASSWORD_MAX_LENGTH:
            raise PasswordTooLong({str(self.field_name): [PasswordTooLong.detail]})
        return super().run_validation(data)


@extend_schema_field(OpenApiTypes.UUID)
class StrictUUIDField(serializers.Field[UUID, str, str, Any]):
    """A UUID in its canonical 36 characters (RFC 9562 section 4), either case."""

    default_error_messages = {"not_a_uuid": "This must be a UUID in its 36-character form."}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and not is_canonical_uuid(data):
            self.fail("not_a_uuid")
        return super().run_validation(data)

    def to_internal_value(self, data: str) -> UUID:
        return UUID(data)

    def to_representation(self, value: UUID) -> str:
        return str(value)
