"""Serializer field for an e-mail address, normalized before a use case sees it."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.models import normalize_email
from latchkey.web.input import StrictCharField


class CanonicalEmailField(StrictCharField):
    """An e-mail address, accepted in any spelling and normalized, so that use cases compare one form of it."""

    def to_internal_value(self, data: Any) -> str:
        """Return the normalized address; raises ValidationError."""
        try:
            return normalize_email(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error
