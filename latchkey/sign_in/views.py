"""Endpoint of sign-in."""

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.sessions.serializers import TokenPairOutput
from latchkey.sessions.views import PAIR
from latchkey.sign_in.fast_path import LOGIN
from latchkey.sign_in.login import login
from latchkey.sign_in.serializers import LoginInput
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import SAME_PASSWORD, operation


class LoginView(ApiView):
    """Sign in with an e-mail address and a password."""

    hashes_password = frozenset({"POST"})
    fast_handlers = {"POST": LOGIN}
    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = LoginInput

    @operation(
        "login",
        "Sign in",
        LoginInput,
        {200: TokenPairOutput},
        request_example={"email": "user@example.com", "password": "password"},
        response_example=PAIR,
        problems=[
            errors.InvalidCredentials,
            errors.SecondFactorRequired,
            errors.EnrolmentRequired,
            errors.TooManyAttempts,
        ],
        returns_token_pair=True,
        links={"leave": SAME_PASSWORD, "change_email": SAME_PASSWORD},
    )
    def post(self, request: Request) -> Response:
        pair = login(**self.validated(request), client=client_info(request.META))
        return Response(TokenPairOutput(pair).data)
