"""Registration endpoint."""

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.email_codes.serializers import DetailOutput
from latchkey.registration.register import register
from latchkey.registration.serializers import RegisterInput, RegisterOutput
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import operation

REGISTERED = {"detail": "A mail is on its way to this address; it says what to do next."}


class RegisterView(ApiView):
    """Open an account with an e-mail address and a password.

    Where the address has to be confirmed first, the answer is the same for every address, and a mail says the rest.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = RegisterInput

    @operation(
        "register",
        "Open an account",
        RegisterInput,
        {201: RegisterOutput, 202: DetailOutput},
        request_example={"password": "password", "email": "user@example.com"},
        response_example={"id": 1, "email": "user@example.com"},
        limits={"password": {"minLength": 8}},  # the floor: the policy may ask for more
        problems=[
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
        user = register(**self.validated(request), client=client_info(request.META))
        return Response(RegisterOutput(user).data, status=201) if user else Response(REGISTERED, status=202)
