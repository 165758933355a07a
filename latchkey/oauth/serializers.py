"""Serializers of introspection (RFC 7662 section 2) and revocation (RFC 7009 section 2)."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from latchkey.web.input import StrictCharField

SENT_ONCE = {"not_a_string": "This field must be sent only once."}  # RFC 6749 section 3.2


class TokenInput(serializers.Serializer[Any]):
    """A token to introspect or to revoke."""

    token = StrictCharField(error_messages=SENT_ONCE, help_text="An access token, a refresh token or an API key.")
    token_type_hint = StrictCharField(
        required=False,
        allow_blank=True,
        error_messages=SENT_ONCE,
        help_text="Ignored: the form of the token shows its type.",
    )


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
class AudienceField(serializers.Field[Any, Any, Any, Any]):
    """One audience, or several (RFC 7519 section 4.1.3); for output alone."""

    def to_representation(self, value: Any) -> Any:
        return value


class IntrospectOutput(serializers.Serializer[Any]):
    """The state of a token; members that do not apply are absent."""

    active = serializers.BooleanField(read_only=True, help_text="If false, there are no other members.")
    token_type = serializers.CharField(required=False, help_text="'Bearer'; absent for refresh tokens.")
    sub = serializers.CharField(required=False, help_text="The user's id, as text, or the application's client id.")
    user_id = serializers.IntegerField(required=False, help_text="Absent for an application.")
    client_id = serializers.CharField(required=False, help_text="The application's; absent for a person.")
    username = serializers.CharField(required=False, help_text="The e-mail address, not the display name.")
    email_verified = serializers.BooleanField(required=False, help_text="Whether the owner has confirmed that address.")
    sid = serializers.CharField(required=False, help_text="The session's id.")
    iat = serializers.IntegerField(required=False)
    exp = serializers.IntegerField(required=False)
    jti = serializers.CharField(required=False)
    iss = serializers.CharField(required=False)
    aud = AudienceField(required=False, help_text="What the token is for; your service must compare it.")
    scope = serializers.CharField(required=False, help_text="Scopes, separated by spaces, as they are now.")
    roles = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Names of the person's roles, as they are now."
    )
    claims = serializers.DictField(required=False, help_text="The person's custom claims, as they are now.")
    key_id = serializers.CharField(required=False, help_text="The id of an API key.")
    amr = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Authentication methods (RFC 8176)."
    )
    acr = serializers.CharField(required=False, help_text="aal1, aal2 or phr; only with more than a password.")
    auth_time = serializers.IntegerField(required=False, help_text="When the user authenticated last.")


class RevokeOutput(serializers.Serializer[Any]):
    """Confirmation of a revocation."""

    success = serializers.CharField(read_only=True)
