"""Serializers of the endpoints below /oauth/. They describe the forms in the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from latchkey.oauth.client_authentication import ASSERTION_TYPE
from latchkey.oauth.serializers import TokenInput
from latchkey.oauth.token_grant import GRANT_TYPE


class ClientCredentialInput(serializers.Serializer[Any]):
    """The parameters of client authentication in the body; without them there is an Authorization header."""

    client_id = serializers.CharField(required=False, help_text="With client_secret, or beside client_assertion.")
    client_secret = serializers.CharField(required=False, help_text="client_secret_post (RFC 6749 section 2.3.1).")
    client_assertion_type = serializers.ChoiceField(
        choices=[ASSERTION_TYPE], required=False, help_text="private_key_jwt (RFC 7523 section 2.2)."
    )
    client_assertion = serializers.CharField(
        required=False, help_text="A JWT, signed with a key of the application, with iss, sub, aud and exp."
    )


class TokenRequestInput(ClientCredentialInput):
    """A request for an access token (RFC 6749 section 4.4.2)."""

    grant_type = serializers.ChoiceField(choices=[GRANT_TYPE])
    scope = serializers.CharField(
        required=False, help_text="Scopes, separated by a space; all that the application has without it."
    )
    resource = serializers.CharField(
        required=False,
        help_text="A resource of the application, or the issuer for this service's own API (RFC 8707); may be sent "
        "more than once. The first of the application without it.",
    )


class ClientTokenInput(TokenInput, ClientCredentialInput):
    """A token to introspect or to revoke, with the parameters of client authentication."""


class TokenResponseOutput(serializers.Serializer[Any]):
    """A successful answer (RFC 6749 section 5.1)."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds that the token is valid.")
    scope = serializers.CharField(required=False, help_text="The scopes of the token; absent if it has none.")
