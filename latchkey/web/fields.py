"""Serializer fields that take what is documented and nothing else: DRF's own turn numbers and booleans into text."""

from typing import Any, TypeGuard
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from latchkey.tokens.refresh_token import UUID_PATTERN


def is_canonical_uuid(data: Any) -> TypeGuard[str]:
    """Tell whether this is a UUID in the one form that we take."""
    return isinstance(data, str) and bool(UUID_PATTERN.fullmatch(data))


class StrictCharField(serializers.CharField):
    """Text that was sent as a JSON string, kept as it was sent."""

    default_error_messages = {"not_a_string": "This must be a string."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and not isinstance(data, str):
            self.fail("not_a_string")
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
