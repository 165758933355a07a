"""Tell whether it is one of our services that asks.

Which service sent this request: its credential, by HTTP Basic authentication.
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
    """Raise InvalidClient unless the service has this secret, or TooManyAttempts where somebody goes on guessing.

    An unknown name and a wrong secret do the same work. The name is not logged: it may be a secret in the wrong place.
    """
    if CLIENT_ID.fullmatch(client_id) and ClientCredential.objects.matches(client_id, secret):
        return
    record(Event.SERVICE_REFUSED, client)
    count_invalid_token(client, "service")
    raise InvalidClient


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """Who asks, where others have a user."""

    client_id: str
    is_authenticated: ClassVar[bool] = True


def parse_basic(header: str) -> tuple[str, str]:
    """Return the client_id and the secret of a header (RFC 6749 section 2.3.1: both form-encoded, then base64).

    Raises InvalidClient where it is no such header.
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
    """Service credentials; nobody else is let in."""

    def authenticate(self, request: Request) -> tuple[OAuthClient, None]:
        """Return the service; raises InvalidClient, or TooManyAttempts."""
        client_id, secret = parse_basic(request.META.get("HTTP_AUTHORIZATION", ""))
        authenticate_client(client_id, secret, client_info(request.META))
        return OAuthClient(client_id), None


class ClientAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its hook has no types
    """How the OpenAPI document describes it."""

    target_class = ClientAuthentication
    name = "serviceCredential"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "The name and the secret of a service, as `latchkey services add NAME` prints it.",
        }
