"""OAuth client authentication by HTTP Basic (RFC 6749 section 2.3.1), for the introspection endpoint.

A client here is one of the operator's services, which has a client id (its name) and a secret.
"""

from base64 import b64decode
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import ClientInfo, client_info
from latchkey.core.exceptions import InvalidClient
from latchkey.oauth.models import CLIENT_ID, ClientCredential
from latchkey.rate_limits.in_memory import count_invalid_token


def authenticate_client(client_id: str, secret: str, client: ClientInfo) -> None:
    """Check a client credential; raises InvalidClient, or TooManyAttempts after 50 wrong ones in a minute.

    An unknown name and a wrong secret take the same work. The name is not logged: it may be a secret in the wrong
    place.
    """
    if CLIENT_ID.fullmatch(client_id) and ClientCredential.objects.matches(client_id, secret):
        return
    record(Event.SERVICE_REFUSED, client)
    count_invalid_token(client, "service")
    raise InvalidClient


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An authenticated client: `request.user` of the endpoints for services."""

    client_id: str
    is_authenticated: ClassVar[bool] = True


def parse_basic(header: str) -> tuple[str, str]:
    """Parse an Authorization header into client id and secret; raises InvalidClient if it is malformed.

    Both are form-encoded, joined with a colon and encoded in base64 (RFC 6749 section 2.3.1).
    """
    scheme, _, encoded = header.partition(" ")
    try:
        client_id, colon, secret = b64decode(encoded.strip(" "), validate=True).decode("ascii").partition(":")
        credential = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError as error:
        raise InvalidClient from error
    if scheme.lower() != "basic" or not colon:
        raise InvalidClient
    return credential


class ClientAuthentication(BaseAuthentication):
    """Authentication class of Django REST Framework for client credentials; a request without one is rejected."""

    def authenticate(self, request: Request) -> tuple[OAuthClient, None]:
        """Return the client; raises InvalidClient or TooManyAttempts."""
        client_id, secret = parse_basic(request.META.get("HTTP_AUTHORIZATION", ""))
        authenticate_client(client_id, secret, client_info(request.META))
        return OAuthClient(client_id), None


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
