"""Serializer fields of an account: e-mail address and password."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.models import normalize_email
from latchkey.accounts.password_validation import PASSWORD_MAX_LENGTH
from latchkey.core.exceptions import PasswordTooLong
from latchkey.web.input import StrictCharField


class CanonicalEmailField(StrictCharField):
    """An e-mail address, accepted in any spelling and normalized, so that use cases compare one form of it."""

    def to_internal_value(self, data: Any) -> str:
        """Return the normalized address; raises ValidationError."""
        try:
            return normalize_email(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class PasswordField(StrictCharField):
    """A password, taken exactly as sent; one over the maximum length is refused before anything is hashed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": PASSWORD_MAX_LENGTH, "help_text": "Taken exactly as sent.", **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Check the length first, with an error code of its own; raises PasswordTooLong or ValidationError."""
        if isinstance(data, str) and len(data) > PASSWORD_MAX_LENGTH:
            raise PasswordTooLong({str(self.field_name): [PasswordTooLong.detail]})
        return super().run_validation(data)
