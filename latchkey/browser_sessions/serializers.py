"""Input and output of the endpoints of browsers: no refresh token in either."""

from typing import Any

from rest_framework import serializers


class EmptyInput(serializers.Serializer[Any]):
    """An object without fields: the cookie says it all."""


class BrowserTokenOutput(serializers.Serializer[Any]):
    """The access token; the refresh token is in the cookie."""

    access_token = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds until the access token expires.")


class BrowserEnrolledOutput(BrowserTokenOutput):
    """The access token, and the recovery codes, which are shown this once."""

    recovery_codes = serializers.ListField(child=serializers.CharField(), read_only=True)
