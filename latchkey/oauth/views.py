"""Endpoints for the operator's own services: verify, introspect (RFC 7662) and revoke (RFC 7009)."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.authentication import BaseAuthentication
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.applications.client_authentication import ClientAuthentication
from latchkey.bearer_tokens.authentication import BearerAuthentication, principal_of
from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.oauth.fast_path import VERIFY
from latchkey.oauth.identity_headers import identity_headers
from latchkey.oauth.introspection import introspect
from latchkey.oauth.requirement import FORMS, parse_requirement
from latchkey.oauth.revocation import revoke
from latchkey.oauth.serializers import IntrospectOutput, RevokeOutput, TokenInput
from latchkey.oauth.step_up_challenge import HIGHEST_MAX_AGE
from latchkey.tokens.access_token import AUDIENCE
from latchkey.tokens.authentication_methods import LEVELS
from latchkey.web.access import ANY_CALLER, CLIENT, PUBLIC
from latchkey.web.api_view import ApiView, IgnoreAccept
from latchkey.web.input import StrictFormParser
from latchkey.web.openapi.operation import SUBMIT_TOKEN, USE_ACCESS_TOKEN, operation
from latchkey.web.query import parse_query

TOKEN = {"token": "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"}
ACTIVE = {
    "active": True,
    "token_type": "Bearer",
    "sub": "1",
    "user_id": 1,
    "username": "user@example.com",
    "email_verified": True,
    "sid": "1211491509556017937",
    "iat": 1795356803,
    "exp": 1795356833,
    "jti": "e5292dda-6ee2-4616-98e5-d4ad232ae9db",
    "iss": "https://auth.example.com",
    "aud": "latchkey",
}
IDENTITY_HEADERS = {
    "X-User-Id": "The user's id; empty for an application.",
    "X-Session-Id": "The session's id; empty for an application or an API key.",
    "X-User-Email-Verified": "'true' if the user's e-mail address is confirmed, else 'false'; or empty.",
    "X-User-Roles": "The names of the user's roles, separated by commas; empty for an application or an API key.",
    "X-Client-Id": "The application's client id; empty for a person.",
    "X-Scope": "Scopes, separated by spaces: of an application or an API key all, of a session those asked for.",
}
REVOKED = {"success": "Token revoked."}


class VerifyView(ApiView):
    """Validate a bearer token for a reverse proxy: nginx uses this with auth_request, Caddy with forward_auth.

    ?role=editor asks for a person with this role, ?scope=reports:read for a token, a key or a person with this scope,
    ?acr=aal2&max_age=300 for a second factor, proved within 5 minutes (RFC 9470).
    """

    access = ANY_CALLER
    fast_handlers = {"GET": VERIFY}
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = IgnoreAccept

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return the authentication that takes tokens for any audience, which the requirement checks."""
        return [BearerAuthentication(audience=None)]

    @operation(
        "verify",
        "Validate a bearer token (for reverse proxies)",
        None,
        {204: None},
        response_headers=IDENTITY_HEADERS,
        problems=[
            errors.InsufficientAuthentication,
            errors.MissingRole,
            errors.InsufficientScope,
            errors.InvalidInput,
            errors.TooManyAttempts,
        ],
        parameters=[
            OpenApiParameter(
                "role",
                str,
                description="A role that the signed-in person must have.",
                pattern=f"^{FORMS['role'].pattern}$",
            ),
            OpenApiParameter(
                "scope",
                str,
                description="Scopes, separated by spaces; all of them are needed.",
                pattern=f"^{FORMS['scope'].pattern}$",
            ),
            OpenApiParameter(
                "audience",
                str,
                pattern=f"^{FORMS['audience'].pattern}$",
                description=f"What an application's access token must name in `aud`; '{AUDIENCE}' by default.",
            ),
            OpenApiParameter(
                "acr", str, description="The level that the session must have proved, at least.", enum=LEVELS
            ),
            OpenApiParameter(
                "max_age",
                {"type": "integer", "minimum": 0, "maximum": HIGHEST_MAX_AGE},
                description="Seconds since the last authentication, at most.",
            ),
        ],
        after_token_pair=USE_ACCESS_TOKEN,
    )
    def get(self, request: Request) -> Response:
        requirement, principal = parse_requirement(parse_query(request, FORMS)), principal_of(request)
        requirement.check(principal)
        return Response(status=204, headers=identity_headers(principal, requirement))


class IntrospectView(ApiView):
    """Return whether a token is active and whose it is (RFC 7662). For services: there is no browsable page."""

    access = CLIENT
    authentication_classes = (ClientAuthentication,)
    parser_classes = (StrictFormParser,)
    renderer_classes = (JSONRenderer,)  # a page would make browsers ask for the credential, and remember it
    input_class = TokenInput

    @operation(
        "introspect",
        "Introspect a token",
        TokenInput,
        {200: IntrospectOutput},
        request_example=TOKEN,
        response_example=ACTIVE,
        problems=[errors.InvalidClient, errors.TooManyAttempts],
        after_token_pair=SUBMIT_TOKEN,
    )
    def post(self, request: Request) -> Response:
        output = IntrospectOutput(introspect(self.validated(request)["token"], client_info(request.META))).data
        return Response({member: value for member, value in output.items() if value is not None})


class RevokeView(ApiView):
    """End the session of a token (RFC 7009). An unknown or inactive token gets the same response."""

    access = PUBLIC
    parser_classes = (StrictFormParser,)
    input_class = TokenInput

    @operation(
        "revoke",
        "Revoke a token",
        TokenInput,
        {200: RevokeOutput},
        request_example=TOKEN,
        response_example=REVOKED,
        problems=[errors.TooManyAttempts],
        after_token_pair=SUBMIT_TOKEN,
    )
    def post(self, request: Request) -> Response:
        revoke(self.validated(request)["token"], client_info(request.META))
        return Response(REVOKED)
