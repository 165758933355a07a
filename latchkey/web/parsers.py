"""The one way in for a body: strict JSON, measured before it is read."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from latchkey.core.errors import ContentTooLarge, DuplicateKey, ParseError, UnsupportedMediaType


class StrictJSONParser(BaseParser):
    """One JSON object (RFC 8259) in UTF-8 without a byte-order mark: no key twice, no NaN, at most 64 kB."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the object, or raise UnsupportedMediaType, ContentTooLarge, ParseError or DuplicateKey."""
        meta = (parser_context or {})["request"].META
        if meta.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity" or not is_json(media_type or ""):
            raise UnsupportedMediaType
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise ContentTooLarge
        if len(body) < int(meta.get("CONTENT_LENGTH") or 0):
            raise ParseError  # it broke off; what has arrived may well be an object, but is not what was meant
        return object_in(body)


def object_in(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a whole body is, or raise ParseError or DuplicateKey."""
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ParseError from error
    if not isinstance(document, dict):
        raise ParseError
    return document


def is_json(content_type: str) -> bool:
    """Take no wildcards, which DRF lets through, and no charset but UTF-8."""
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    return media_type == "application/json" and set(parameters) <= {"charset=utf-8", 'charset="utf-8"'}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise DuplicateKey
    return keys


def _refuse(constant: str) -> None:
    raise ParseError
