"""Input and output of refresh and sign-out, and the pair of tokens."""

from typing import Any

from rest_framework import serializers

from latchkey.web.input import StrictUUIDField


class RefreshInput(serializers.Serializer[Any]):
    refresh_token = StrictUUIDField(help_text="The refresh token of the last response.")


class LogoutInput(serializers.Serializer[Any]):
    refresh_token = StrictUUIDField(help_text="A refresh token of the session to end.")


class TokenPairOutput(serializers.Serializer[Any]):
    access_token = serializers.CharField(read_only=True)
    refresh_token = StrictUUIDField(read_only=True)


class LogoutOutput(serializers.Serializer[Any]):
    success = serializers.CharField(read_only=True)
