"""Serializer fields of an account: e-mail address and password."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.models import normalize_email
from latchkey.accounts.password_validation import PASSWORD_MAX_LENGTH
from latchkey.core.exceptions import PasswordTooLong
from latchkey.web.input import StrictCharField


class CanonicalEmailField(StrictCharField):
    """An e-mail address, read in any spelling and handed on in its canonical one."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalize_email(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class PasswordField(StrictCharField):
    """A password, taken exactly as it was sent; one past the limit is refused before anything is hashed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": PASSWORD_MAX_LENGTH, "help_text": "Taken exactly as sent.", **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and len(data) > PASSWORD_MAX_LENGTH:
            raise PasswordTooLong({str(self.field_name): [PasswordTooLong.detail]})
        return super().run_validation(data)
