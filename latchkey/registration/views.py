"""Registration endpoint: POST /api/register/."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.email_codes.serializers import DetailOutput
from latchkey.registration.register import register
from latchkey.registration.serializers import RegisterInput, RegisterOutput
from latchkey.web.access import PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import SAME_EMAIL, USE_EMAILED_CODE, operation

REGISTERED = {"detail": "A mail is on its way to this address; it says what to do next."}


class RegisterView(ApiView):
    """Create an account with an e-mail address and a password.

    The answer is 201, or 202 where the address must be verified before the first sign-in: then it is the same for every
    address, and only the mail says whether the address has an account already.
    """

    hashes_password = frozenset({"POST"})
    access = PUBLIC
    input_class = RegisterInput

    @operation(
        "register",
        "Create an account",
        RegisterInput,
        {
            201: RegisterOutput,
            202: OpenApiResponse(DetailOutput, examples=[OpenApiExample("Answer", REGISTERED, response_only=True)]),
        },
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
        links={
            "login": {"requestBody": "$request.body"},
            "verify_email": USE_EMAILED_CODE,
            "resend_verification": SAME_EMAIL,
            "reset_password": SAME_EMAIL,
        },
    )
    def post(self, request: Request) -> Response:
        user = register(**self.validated(request), client=client_info(request.META))
        return Response(RegisterOutput(user).data, status=201) if user else Response(REGISTERED, status=202)
