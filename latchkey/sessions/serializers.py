"""Input and output of sign-in, refresh and sign-out."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.web.input import PasswordField, StrictCharField, StrictUUIDField


class LoginInput(serializers.Serializer[Any]):
    email = StrictCharField(max_length=EMAIL_MAX_LENGTH, trim_whitespace=True, help_text="In upper or lower case.")
    password = PasswordField()


class RefreshInput(serializers.Serializer[Any]):
    refresh_token = StrictUUIDField(help_text="The refresh token of the last response.")


class LogoutInput(serializers.Serializer[Any]):
    refresh_token = StrictUUIDField(help_text="A refresh token of the session to end.")


class TokenPairOutput(serializers.Serializer[Any]):
    access_token = serializers.CharField(read_only=True)
    refresh_token = StrictUUIDField(read_only=True)


class LogoutOutput(serializers.Serializer[Any]):
    success = serializers.CharField(read_only=True)
