"""Endpoints of sign-in, its second step, and step-up."""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.sessions.authentication import access_token_of
from latchkey.sessions.serializers import TokenPairOutput
from latchkey.sessions.views import PAIR
from latchkey.sign_in.factor_checks import FactorAnswer
from latchkey.sign_in.fast_path import LOGIN
from latchkey.sign_in.login import login
from latchkey.sign_in.second_factor import sign_in_with_second_factor
from latchkey.sign_in.serializers import LoginInput, SecondFactorInput, StepUpInput, StepUpOutput
from latchkey.sign_in.step_up import step_up
from latchkey.web.access import PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import SAME_PASSWORD, USE_ACCESS_TOKEN, operation


class LoginView(ApiView):
    """Sign in with an e-mail address and a password."""

    hashes_password = frozenset({"POST"})
    fast_handlers = {"POST": LOGIN}
    access = PUBLIC
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


TICKET = "9Xh1c0kq4mE7Yy2f8sVb3tLzQw6RnDpUaJgKiOxCeT4"


class SecondFactorView(ApiView):
    """Finish a sign-in that was answered 403 `second_factor_required`: its ticket, and a second factor."""

    access = PUBLIC
    input_class = SecondFactorInput

    @operation(
        "login_second_factor",
        "Sign in: second factor",
        SecondFactorInput,
        {200: TokenPairOutput},
        request_example={"ticket": TICKET, "code": "287082"},
        response_example=PAIR,
        problems=[errors.InvalidFactorCode, errors.InvalidPasskey, errors.InvalidTicket, errors.TooManyAttempts],
        returns_token_pair=True,
    )
    def post(self, request: Request) -> Response:
        given = self.validated(request)
        pair = sign_in_with_second_factor(given.pop("ticket"), FactorAnswer(**given), client_info(request.META))
        return Response(TokenPairOutput(pair).data)


class StepUpView(ApiView):
    """Authenticate again within a session, for what asks for it with 403 `step_up_required`.

    An account without a second factor sends its password, any other its second factor.
    """

    hashes_password = frozenset({"POST"})
    input_class = StepUpInput

    @operation(
        "step_up",
        "Authenticate again",
        StepUpInput,
        {200: StepUpOutput},
        request_example={"password": "password"},
        response_example={"access_token": PAIR["access_token"]},
        problems=[
            errors.WrongPassword,
            errors.PasswordTooLong,
            errors.InvalidFactorCode,
            errors.InvalidPasskey,
            errors.InvalidTicket,
            errors.StepUpRequired,
            errors.TooManyAttempts,
        ],
        after_token_pair=USE_ACCESS_TOKEN,
    )
    def post(self, request: Request) -> Response:
        given, token = self.validated(request), access_token_of(request)
        password, ticket = given.pop("password", ""), given.pop("ticket", "")
        answer, client = FactorAnswer(**given), client_info(request.META)
        issued = step_up(token.user_id, token.session_id, password, answer, ticket, client)
        return Response({"access_token": issued})
