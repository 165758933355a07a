"""Endpoints below /oauth/ for clients of OAuth: token (RFC 6749), introspection (RFC 7662) and revocation (RFC 7009).

Introspection and revocation do what those below /api/ do, and take three methods of client authentication. Errors are
in the form of RFC 6749 section 5.2 (web/oauth_errors.py).
"""

from typing import Any, cast

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.applications.credentials import OAuthClient
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.oauth import token_errors
from latchkey.oauth.client_authentication import (
    OAuthClientAuthentication,
    form_of,
    single_parameters,
)
from latchkey.oauth.revocation import revoke
from latchkey.oauth.serializers import IntrospectOutput, RevokeOutput, TokenInput
from latchkey.oauth.token_fast_path import TOKEN as TOKEN_HANDLER
from latchkey.oauth.token_grant import issue_token, parse_request
from latchkey.oauth.token_serializers import (
    ClientTokenInput,
    TokenRequestInput,
    TokenResponseOutput,
)
from latchkey.oauth.views import ACTIVE, REVOKED, TOKEN, IntrospectView
from latchkey.signing_keys.key_set import signing_key
from latchkey.web.access import CLIENT, OPTIONAL_CLIENT
from latchkey.web.api_view import ApiView, IgnoreAccept
from latchkey.web.input import StrictFormParser
from latchkey.web.openapi.oauth_operation import oauth_operation
from latchkey.web.openapi.operation import SUBMIT_TOKEN

TOKEN_REQUEST = {"grant_type": "client_credentials", "scope": "orders:read", "resource": "https://orders.example.com"}
TOKEN_RESPONSE = {
    "access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJiaWxsaW5nIn0.c2lnbmF0dXJl",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "orders:read",
}


class OAuthView(ApiView):
    """Base class: a form in, JSON out whatever Accept says, errors as RFC 6749 has them."""

    access = CLIENT
    in_index = False
    authentication_classes = (OAuthClientAuthentication,)
    parser_classes = (StrictFormParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = IgnoreAccept

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse another method than POST, and answer OPTIONS, before it is asked who sends it."""
        if (request.method or "") not in self.allowed_methods:
            self.http_method_not_allowed(request)
        if request.method != "OPTIONS":
            super().initial(request, *args, **kwargs)


class TokenView(OAuthView):
    """Issue an access token to an application (RFC 6749 section 4.4)."""

    input_class = TokenRequestInput
    fast_handlers = {"POST": TOKEN_HANDLER}

    @oauth_operation(
        "token",
        "Get an access token for an application",
        TokenRequestInput,
        {200: TokenResponseOutput},
        request_example=TOKEN_REQUEST,
        response_example=TOKEN_RESPONSE,
        links={"oauth_introspect": SUBMIT_TOKEN, "oauth_revoke": SUBMIT_TOKEN},
        problems=[
            errors.InvalidClient,
            errors.TooManyAttempts,
            token_errors.InvalidRequest,
            token_errors.UnauthorizedClient,
            token_errors.UnsupportedGrantType,
            token_errors.InvalidScope,
            token_errors.InvalidTarget,
        ],
    )
    def post(self, request: Request) -> Response:
        application, form = cast("OAuthClient", request.user), form_of(request)
        asked = parse_request(single_parameters(form), form.get("resource"))
        now = clock.now()
        policy, key = current_policy(), signing_key(now)
        return Response(issue_token(application, asked, client_info(request.META), now, policy, key).body)


class OAuthIntrospectView(OAuthView):
    """Return whether a token is active and whose it is (RFC 7662)."""

    input_class = TokenInput

    @oauth_operation(
        "oauth_introspect",
        "Introspect a token, as a client of OAuth",
        ClientTokenInput,
        {200: IntrospectOutput},
        request_example=TOKEN,
        response_example=ACTIVE,
        problems=[errors.InvalidClient, errors.TooManyAttempts, token_errors.InvalidRequest],
    )
    def post(self, request: Request) -> Response:
        return cast("Response", IntrospectView.post(self, request))  # it needs an ApiView alone


class OAuthRevokeView(OAuthView):
    """Revoke a token (RFC 7009). Whoever holds one may revoke it; a credential that is sent has to be right."""

    access = OPTIONAL_CLIENT
    input_class = TokenInput

    @oauth_operation(
        "oauth_revoke",
        "Revoke a token, as a client of OAuth",
        ClientTokenInput,
        {200: RevokeOutput},
        request_example=TOKEN,
        response_example=REVOKED,
        problems=[
            errors.InvalidClient,
            errors.TooManyAttempts,
            token_errors.InvalidRequest,
            token_errors.UnsupportedTokenType,
        ],
    )
    def post(self, request: Request) -> Response:
        if not revoke(self.validated(request)["token"], client_info(request.META)):
            raise token_errors.UnsupportedTokenType
        return Response(REVOKED)
