"""Serializers of introspection (RFC 7662 section 2) and revocation (RFC 7009 section 2)."""

from typing import Any

from rest_framework import serializers

from latchkey.web.input import StrictCharField

SENT_ONCE = {"not_a_string": "This field must be sent only once."}  # RFC 6749 section 3.2


class TokenInput(serializers.Serializer[Any]):
    """A token to introspect or to revoke."""

    token = StrictCharField(error_messages=SENT_ONCE, help_text="An access token or a refresh token.")
    token_type_hint = StrictCharField(
        required=False,
        allow_blank=True,
        error_messages=SENT_ONCE,
        help_text="Ignored: the form of the token shows its type.",
    )


class IntrospectOutput(serializers.Serializer[Any]):
    """The state of a token; members that do not apply are absent."""

    active = serializers.BooleanField(read_only=True, help_text="If false, there are no other members.")
    token_type = serializers.CharField(required=False, help_text="'Bearer'; only for access tokens.")
    sub = serializers.CharField(required=False, help_text="The user's id, as text.")
    user_id = serializers.IntegerField(required=False)
    username = serializers.CharField(required=False, help_text="The e-mail address, not the display name.")
    email_verified = serializers.BooleanField(required=False, help_text="Whether the owner has confirmed that address.")
    sid = serializers.CharField(required=False, help_text="The session's id.")
    iat = serializers.IntegerField(required=False)
    exp = serializers.IntegerField(required=False)
    jti = serializers.CharField(required=False)
    iss = serializers.CharField(required=False)
    aud = serializers.CharField(required=False)
    amr = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Authentication methods (RFC 8176)."
    )
    acr = serializers.CharField(required=False, help_text="aal1, aal2 or phr; only with more than a password.")
    auth_time = serializers.IntegerField(required=False, help_text="When the user authenticated last.")


class RevokeOutput(serializers.Serializer[Any]):
    """Confirmation of a revocation."""

    success = serializers.CharField(read_only=True)
