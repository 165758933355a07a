"""The shapes of an account on the wire."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.email import LENGTH_LIMIT, canonical
from latchkey.accounts.models import User
from latchkey.accounts.passwords import LENGTH_LIMIT as PASSWORD_LENGTH_LIMIT
from latchkey.core.errors import PasswordTooLong
from latchkey.web.fields import StrictCharField


class CanonicalEmailField(StrictCharField):
    """An e-mail address, read in any spelling and handed on in its canonical one."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return canonical(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class PasswordField(StrictCharField):
    """A password, taken exactly as it was sent; one past the limit is refused before anything is hashed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": PASSWORD_LENGTH_LIMIT, "help_text": "Taken exactly as sent.", **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and len(data) > PASSWORD_LENGTH_LIMIT:
            raise PasswordTooLong({str(self.field_name): [PasswordTooLong.detail]})
        return super().run_validation(data)


class RegisterInput(serializers.Serializer[Any]):
    email = CanonicalEmailField(max_length=LENGTH_LIMIT, help_text="Any spelling; kept trimmed and in lower case.")
    password = PasswordField()


class RegisterOutput(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email")


class MeInput(serializers.Serializer[Any]):
    username = StrictCharField(max_length=150, allow_blank=True, trim_whitespace=True, help_text="A display name.")


class MeOutput(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "username", "email")
