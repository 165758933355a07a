"""For the services behind us: verify, introspect, revoke."""

from typing import cast

from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.oauth.client_authentication import ClientAuthentication
from latchkey.oauth.introspection import identity_headers, introspect
from latchkey.oauth.revocation import revoke
from latchkey.oauth.serializers import IntrospectOutput, RevokeOutput, TokenInput
from latchkey.tokens.access_token import AccessToken
from latchkey.web.api_view import ApiView, IgnoreAccept
from latchkey.web.input import StrictFormParser
from latchkey.web.openapi.operation import AUTH_ERRORS, operation

TOKEN = {"token": "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"}
ACTIVE = {
    "active": True,
    "token_type": "Bearer",
    "sub": "1",
    "user_id": 1,
    "username": "user@example.com",
    "sid": "1211491509556017937",
    "iat": 1795356803,
    "exp": 1795356833,
    "jti": "e5292dda-6ee2-4616-98e5-d4ad232ae9db",
    "iss": "https://auth.example.com",
    "aud": "latchkey",
}
REVOKED = {"success": "Token revoked."}


class VerifyView(ApiView):
    """Tell a proxy whose access token this is: nginx asks here by auth_request, Caddy by forward_auth."""

    renderer_classes = (JSONRenderer,)
    content_negotiation_class = IgnoreAccept

    @operation(
        "verify",
        "Tell whose access token it is",
        None,
        {204: None},
        response_headers={"X-User-Id": "The user's id.", "X-Session-Id": "The session's id."},
        problems=AUTH_ERRORS,
    )
    def get(self, request: Request) -> Response:
        return Response(status=204, headers=identity_headers(cast("AccessToken", request.auth)))


class IntrospectView(ApiView):
    """Tell a service about a token that somebody sent it (RFC 7662). For programs: there is no page."""

    authentication_classes = (ClientAuthentication,)
    parser_classes = (StrictFormParser,)
    renderer_classes = (JSONRenderer,)  # a page would have a browser ask for the credential, and keep it
    input_class = TokenInput

    @operation(
        "introspect",
        "Tell a service about a token",
        TokenInput,
        {200: IntrospectOutput},
        request_example=TOKEN,
        response_example=ACTIVE,
        problems=[errors.InvalidClient, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        told = IntrospectOutput(introspect(self.validated(request)["token"], client_info(request.META))).data
        return Response({member: value for member, value in told.items() if value is not None})


class RevokeView(ApiView):
    """End the session of a token (RFC 7009). A token that is unknown or ended answers alike."""

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
    )
    def post(self, request: Request) -> Response:
        revoke(self.validated(request)["token"], client_info(request.META))
        return Response(REVOKED)
