"""OAuth client authentication by HTTP Basic (RFC 6749 section 2.3.1), for the introspection endpoint below /api/.

The endpoints below /oauth/ take the same secrets, and more methods (oauth/client_authentication.py).
"""

from base64 import b64decode
from typing import Any
from urllib.parse import unquote_plus

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from latchkey.applications.credentials import OAuthClient, SecretCredential, authenticate
from latchkey.core.client import client_info
from latchkey.core.exceptions import InvalidClient


def parse_basic(header: str) -> SecretCredential:
    """Parse an Authorization header into client id and secret; raises InvalidClient if it is malformed.

    Both are form-encoded, joined with a colon and encoded in base64 (RFC 6749 section 2.3.1).
    """
    scheme, _, encoded = header.partition(" ")
    try:
        client_id, colon, secret = b64decode(encoded.strip(" "), validate=True).decode("ascii").partition(":")
        credential = SecretCredential(unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict"))
    except ValueError as error:
        raise InvalidClient from error
    if scheme.lower() != "basic" or not colon:
        raise InvalidClient
    return credential


class ClientAuthentication(BaseAuthentication):
    """Authentication class of Django REST Framework for client credentials; a request without one is rejected."""

    def authenticate(self, request: Request) -> tuple[OAuthClient, None]:
        """Return the client; raises InvalidClient or TooManyAttempts."""
        credential = parse_basic(request.META.get("HTTP_AUTHORIZATION", ""))
        return authenticate(credential, client_info(request.META)), None


class ClientAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped hook
    """The security scheme of client credentials in the OpenAPI document."""

    target_class = ClientAuthentication
    name = "serviceCredential"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "Name and secret of a service; `latchkey services add NAME` prints the secret.",
        }
