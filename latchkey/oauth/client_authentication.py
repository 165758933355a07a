"""Client authentication of the endpoints below /oauth/: client_secret_basic, client_secret_post and private_key_jwt.

The first two are of RFC 6749 section 2.3.1, the third of RFC 7523 section 2.2. A request uses one of them.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from latchkey.applications.client_authentication import parse_basic
from latchkey.applications.credentials import (
    AssertionCredential,
    Credential,
    InvalidCredential,
    OAuthClient,
    SecretCredential,
    authenticate,
)
from latchkey.core.client import client_info
from latchkey.core.exceptions import ContentTooLarge, InvalidClient, ParseError, UnsupportedMediaType
from latchkey.oauth.token_errors import InvalidRequest

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
"""Names of the methods in the metadata document (RFC 8414 section 2)."""

Form: TypeAlias = Mapping[str, str | list[str]]
"""The parameters of a form, a list where one came more than once."""

UNREADABLE = (ContentTooLarge, ParseError, UnsupportedMediaType)
_MAY_REPEAT = "resource"  # RFC 8707 section 2
_TWO_METHODS = "Use one method of client authentication, not two."


def single_parameters(form: Form) -> dict[str, str]:
    """Return the parameters that must not repeat; raises InvalidRequest for one that does (RFC 6749 section 3.2)."""
    single = {name: value for name, value in form.items() if name != _MAY_REPEAT and isinstance(value, str)}
    if len(single) < len(form) - (_MAY_REPEAT in form):
        raise InvalidRequest("A parameter was sent more than once.")
    return single


def read_credential(authorization: str | None, parameters: Mapping[str, str]) -> Credential | None:
    """Return the credential of a request, out of its Authorization header and its body; None without one.

    Raises InvalidClient for a malformed one, InvalidRequest for two.
    """
    in_header = authorization is not None
    has_secret = "client_secret" in parameters
    has_assertion = "client_assertion" in parameters or "client_assertion_type" in parameters
    if in_header + has_secret + has_assertion > 1:
        raise InvalidRequest(_TWO_METHODS)
    client_id = parameters.get("client_id", "")
    if authorization is not None:
        credential = parse_basic(authorization)
        if client_id not in ("", credential.client_id):
            raise InvalidRequest("The client_id of the body is not that of the Authorization header.")
        return credential
    if has_secret:
        return SecretCredential(client_id, parameters["client_secret"])
    if not has_assertion:
        return None
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidClient
    return AssertionCredential(client_id, parameters.get("client_assertion", ""))


class OAuthClientAuthentication(BaseAuthentication):
    """Authentication class of Django REST Framework for applications. `access` says if a credential is required."""

    def authenticate(self, request: Request) -> tuple[OAuthClient, None] | None:
        """Return the application, None without a credential; raises InvalidClient, InvalidRequest or TooManyAttempts.

        A body that cannot be read has no credential in it. With one in the header, and where none is required, the
        parser's error is raised.
        """
        try:
            client = authenticate_if_sent(request)
        except UNREADABLE as error:
            access = request.parser_context["view"].access_for(request.method)
            if access.is_optional or "HTTP_AUTHORIZATION" in request.META:
                raise
            raise InvalidCredential("Send a form with the client credential, or HTTP Basic.") from error
        return None if client is None else (client, None)


def authenticate_if_sent(request: Request) -> OAuthClient | None:
    """Return the application whose credential a request has, None without one; raises as `authenticate` above does.

    A bearer token is no credential of a client: it is ignored, as it is by all public endpoints.
    """
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is not None and header.lower().startswith("bearer "):
        header = None
    credential = read_credential(header, single_parameters(form_of(request)))
    return credential and authenticate(credential, client_info(request.META))


def form_of(request: Request) -> Form:
    """Return the parameters of the body; raises what the parser raises."""
    return cast("Form", request.data)


class OAuthClientScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped hook
    """The security scheme of applications in the OpenAPI document."""

    target_class = OAuthClientAuthentication
    name = "applicationCredential"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "Client id and secret of an application (client_secret_basic). The body may have them "
            "instead, as client_id and client_secret, or a client_assertion (private_key_jwt).",
        }
