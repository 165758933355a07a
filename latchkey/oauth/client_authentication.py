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
from latchkey.core.client import Client, client_of
from latchkey.core.exceptions import InvalidClient
from latchkey.oauth.models import NAME, ServiceCredential
from latchkey.rate_limits.in_memory import count_guess


def authenticate(client_id: str, secret: str, client: Client) -> None:
    """Raise InvalidClient unless the service has this secret, or TooManyAttempts where somebody goes on guessing.

    An unknown name and a wrong secret do the same work. The name is not logged: it may be a secret in the wrong place.
    """
    if NAME.fullmatch(client_id) and ServiceCredential.objects.knows(client_id, secret):
        return
    record(Event.SERVICE_REFUSED, client)
    count_guess(client, "service")
    raise InvalidClient


@dataclass(frozen=True, slots=True)
class Service:
    """Who asks, where others have a user."""

    client_id: str
    is_authenticated: ClassVar[bool] = True


def credential_in(header: str) -> tuple[str, str]:
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


class ServiceAuthentication(BaseAuthentication):
    """Service credentials; nobody else is let in."""

    def authenticate(self, request: Request) -> tuple[Service, None]:
        """Return the service; raises InvalidClient, or TooManyAttempts."""
        client_id, secret = credential_in(request.META.get("HTTP_AUTHORIZATION", ""))
        authenticate(client_id, secret, client_of(request.META))
        return Service(client_id), None


class ServiceAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its hook has no types
    """How the OpenAPI document describes it."""

    target_class = ServiceAuthentication
    name = "serviceCredential"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "The name and the secret of a service, as `latchkey services add NAME` prints it.",
        }
