"""Register, and one's own record."""

from typing import cast

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.accounts.models import User
from latchkey.accounts.register import register
from latchkey.accounts.rename import rename
from latchkey.accounts.serializers import MeInput, MeOutput, RegisterInput, RegisterOutput
from latchkey.core import errors
from latchkey.core.client import client_of
from latchkey.web.api import ApiView
from latchkey.web.schema import SIGNED_IN, documented

ME = {"id": 1, "username": "John Smith", "email": "user@example.com"}


def _caller(request: Request) -> User:
    return cast("User", request.user)


class RegisterView(ApiView):
    """Open an account with an e-mail address and a password."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = RegisterInput

    @documented(
        "register",
        "Open an account",
        RegisterInput,
        {201: RegisterOutput},
        request_example={"password": "password", "email": "user@example.com"},
        response_example={"id": 1, "email": "user@example.com"},
        limits={"password": {"minLength": 8}},  # the floor: the policy may ask for more
        refusals=[
            errors.EmailTaken,
            errors.PasswordTooShort,
            errors.PasswordTooLong,
            errors.PasswordTooCommon,
            errors.PasswordTooObvious,
            errors.RegistrationClosed,
            errors.TooManyAttempts,
        ],
    )
    def post(self, request: Request) -> Response:
        user = register(**self.read(request), client=client_of(request.META))
        return Response(RegisterOutput(user).data, status=201)


class MeView(ApiView):
    """Your own record: read it, or change your display name."""

    input_class = MeInput

    @documented(
        "read_me",
        "Read your own record",
        None,
        {200: MeOutput},
        response_example={**ME, "username": ""},
        refusals=SIGNED_IN,
    )
    def get(self, request: Request) -> Response:
        return Response(MeOutput(_caller(request)).data)

    @documented(
        "replace_me",
        "Set your display name",
        MeInput,
        {200: MeOutput},
        request_example={"username": "John Smith"},
        response_example=ME,
        refusals=SIGNED_IN,
    )
    def put(self, request: Request) -> Response:
        return Response(MeOutput(rename(_caller(request), **self.read(request))).data)

    @documented(
        "update_me",
        "Change your display name",
        MeInput,
        {200: MeOutput},
        request_example={"username": "John Smith"},
        response_example=ME,
        refusals=SIGNED_IN,
    )
    def patch(self, request: Request) -> Response:
        changes = self.read(request, partial=True)
        return Response(MeOutput(rename(_caller(request), **changes) if changes else _caller(request)).data)
