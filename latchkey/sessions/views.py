"""Endpoints of refresh and sign-out."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.sessions.fast_path import REFRESH
from latchkey.sessions.logout import logout
from latchkey.sessions.refresh import refresh
from latchkey.sessions.serializers import LogoutInput, LogoutOutput, RefreshInput, TokenPairOutput
from latchkey.web.access import PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.input import read_idempotency_key
from latchkey.web.openapi.operation import USE_REFRESH_TOKEN, operation

TOKEN = {"refresh_token": "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"}
PAIR = {
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl",
    "refresh_token": "2f9c1f0e-8a51-4d0b-b7a2-93c5e8d10f64",
}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="16 to 64 printable characters, new for each refresh and the same in each retry of it.",
    pattern=r"^[!#-~][ -~]{14,62}[!-~]$",
)
SIGNED_OUT = {"success": "User logged out."}


class RefreshView(ApiView):
    """Exchange a refresh token for a new pair of tokens, with full lifetimes.

    After a lost response send the same token again. With the same `Idempotency-Key` header you get the same new refresh
    token, however late, until that token is used for the first time. Without the header you get it within the retry
    window (10 seconds); later the session ends. Make a new key for each refresh, 16 to 64 printable characters, and
    store it before you send the request.
    """

    fast_handlers = {"POST": REFRESH}
    access = PUBLIC
    input_class = RefreshInput

    @operation(
        "refresh",
        "Refresh tokens",
        RefreshInput,
        {200: TokenPairOutput},
        request_example=TOKEN,
        response_example=PAIR,
        problems=[errors.InvalidRefreshToken, errors.TooManyAttempts],
        returns_token_pair=True,
        after_token_pair=USE_REFRESH_TOKEN,
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        presented, idempotency_key = self.validated(request)["refresh_token"], read_idempotency_key(request.META)
        pair = refresh(presented, client_info(request.META), idempotency_key)
        return Response(TokenPairOutput(pair).data)


class LogoutView(ApiView):
    """End a session and its access tokens. Idempotent: an ended or unknown session gives the same response."""

    access = PUBLIC
    input_class = LogoutInput

    @operation(
        "logout",
        "Sign out",
        LogoutInput,
        {200: LogoutOutput},
        request_example=TOKEN,
        response_example=SIGNED_OUT,
        problems=[errors.TooManyAttempts],
        after_token_pair=USE_REFRESH_TOKEN,
    )
    def post(self, request: Request) -> Response:
        logout(self.validated(request)["refresh_token"], client_info(request.META))
        return Response(SIGNED_OUT)
