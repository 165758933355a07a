"""The shapes of introspection and revocation on the wire."""

from typing import Any

from rest_framework import serializers

from latchkey.web.input import StrictCharField

SENT_ONCE = {"not_a_string": "This must be sent once."}  # RFC 6749 section 3.2


class TokenInput(serializers.Serializer[Any]):
    token = StrictCharField(error_messages=SENT_ONCE, help_text="An access token or a refresh token.")
    token_type_hint = StrictCharField(
        required=False,
        allow_blank=True,
        error_messages=SENT_ONCE,
        help_text="Not looked at: the form of a token tells its type.",
    )


class IntrospectOutput(serializers.Serializer[Any]):
    active = serializers.BooleanField(read_only=True, help_text="If false, it is the only member.")
    token_type = serializers.CharField(required=False, help_text="'Bearer'; access tokens alone have one.")
    sub = serializers.CharField(required=False, help_text="The user's id, as text.")
    user_id = serializers.IntegerField(required=False)
    username = serializers.CharField(required=False, help_text="The e-mail address, not the display name.")
    sid = serializers.CharField(required=False, help_text="The session's id.")
    iat = serializers.IntegerField(required=False)
    exp = serializers.IntegerField(required=False)
    jti = serializers.CharField(required=False)
    iss = serializers.CharField(required=False)
    aud = serializers.CharField(required=False)


class RevokeOutput(serializers.Serializer[Any]):
    success = serializers.CharField(read_only=True)
