"""Endpoints for the operator's own services: verify, introspect (RFC 7662) and revoke (RFC 7009)."""

from typing import cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.accounts.models import User
from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.oauth.client_authentication import ClientAuthentication
from latchkey.oauth.fast_path import VERIFY
from latchkey.oauth.introspection import identity_headers, introspect
from latchkey.oauth.revocation import revoke
from latchkey.oauth.serializers import IntrospectOutput, RevokeOutput, TokenInput
from latchkey.oauth.step_up_challenge import ACR, HIGHEST_MAX_AGE, MAX_AGE, parse_requirement
from latchkey.tokens.access_token import AccessToken
from latchkey.tokens.authentication_methods import LEVELS
from latchkey.web.api_view import ApiView, IgnoreAccept
from latchkey.web.input import StrictFormParser
from latchkey.web.openapi.operation import AUTH_ERRORS, SUBMIT_TOKEN, USE_ACCESS_TOKEN, operation
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
REVOKED = {"success": "Token revoked."}


class VerifyView(ApiView):
    """Validate an access token for a reverse proxy: nginx uses this with auth_request, Caddy with forward_auth.

    ?acr=aal2&max_age=300 asks for a second factor, proved within 5 minutes (RFC 9470).
    """

    fast_handlers = {"GET": VERIFY}
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = IgnoreAccept

    @operation(
        "verify",
        "Validate an access token (for reverse proxies)",
        None,
        {204: None},
        response_headers={
            "X-User-Id": "The user's id.",
            "X-Session-Id": "The session's id.",
            "X-User-Email-Verified": "'true' if the user's e-mail address is confirmed, else 'false'.",
        },
        problems=[*AUTH_ERRORS, errors.InsufficientAuthentication, errors.InvalidInput],
        parameters=[
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
        token, caller = cast("AccessToken", request.auth), cast("User", request.user)
        parse_requirement(parse_query(request, {"acr": ACR, "max_age": MAX_AGE})).check(caller.authentication)
        return Response(status=204, headers=identity_headers(token, caller.has_verified_email))


class IntrospectView(ApiView):
    """Return whether a token is active and whose it is (RFC 7662). For services: there is no browsable page."""

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

    authentication_classes = ()
    permission_classes = (AllowAny,)
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
