"""Register, confirm an e-mail address, change it."""

from typing import cast

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.accounts.serializers import RegisterInput, RegisterOutput
from latchkey.codes.find import Presented
from latchkey.codes.serializers import DetailOutput, MailInput, PresentedInput, SuccessOutput
from latchkey.core import errors
from latchkey.core.client import client_of
from latchkey.verification.change import ask_for_change, confirm_change
from latchkey.verification.serializers import ChangeEmailInput, ConfirmChangeInput
from latchkey.verification.sign_up import sign_up
from latchkey.verification.verify_email import ask_for_verification, verify_email
from latchkey.web.api import ApiView
from latchkey.web.schema import SIGNED_IN, documented

TOKEN = {"token": "3J6W6QmG5cXBlMDaRTw1uXxQpmDjCqhI7ZQ8m3yPVnk"}
SIGNED_UP = {"detail": "A mail is on its way to this address; it says what to do next."}
ASKED = {"detail": "If this address waits to be confirmed, a mail with a link and a code is on its way to it."}
VERIFIED = {"success": "E-mail address confirmed."}
MOVING = {"detail": "A mail with a link and a code is on its way to the new address; until then nothing changes."}
MOVED = {"success": "E-mail address changed."}


class RegisterView(ApiView):
    """Open an account with an e-mail address and a password.

    Where the address has to be confirmed first, the answer is the same for every address, and a mail says the rest.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = RegisterInput

    @documented(
        "register",
        "Open an account",
        RegisterInput,
        {201: RegisterOutput, 202: DetailOutput},
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
        user = sign_up(**self.read(request), client=client_of(request.META))
        return Response(RegisterOutput(user).data, status=201) if user else Response(SIGNED_UP, status=202)


class VerifyEmailView(ApiView):
    """Confirm your e-mail address with the token of the link, or with the address and the code."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = PresentedInput

    @documented(
        "verify_email",
        "Confirm your e-mail address",
        PresentedInput,
        {200: SuccessOutput},
        request_example=TOKEN,
        response_example=VERIFIED,
        refusals=[errors.InvalidCode, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        verify_email(**self.read(request), client=client_of(request.META))
        return Response(VERIFIED)


class ResendView(ApiView):
    """Have the mail sent again that confirms an address. The answer is the same for every address."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = MailInput

    @documented(
        "resend_verification",
        "Have the mail sent again that confirms an address",
        MailInput,
        {202: DetailOutput},
        request_example={"email": "user@example.com"},
        response_example=ASKED,
        refusals=[errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        ask_for_verification(**self.read(request), client=client_of(request.META))
        return Response(ASKED, status=202)


class ChangeEmailView(ApiView):
    """Have a mail sent to a new address of yours. The answer is the same whether or not somebody else has it."""

    input_class = ChangeEmailInput

    @documented(
        "change_email",
        "Ask for another e-mail address",
        ChangeEmailInput,
        {202: DetailOutput},
        request_example={"email": "new@example.com", "password": "password"},
        response_example=MOVING,
        refusals=[
            *(errors.WrongPassword, errors.PasswordTooLong, errors.EmailTaken),
            *SIGNED_IN,
            errors.TooManyAttempts,
        ],
    )
    def post(self, request: Request) -> Response:
        ask_for_change(cast("int", request.user.pk), **self.read(request), client=client_of(request.META))
        return Response(MOVING, status=202)


class ConfirmChangeView(ApiView):
    """Make the new address yours with the token of the link; or, signed in, with the code. Sessions go on."""

    permission_classes = (AllowAny,)
    input_class = ConfirmChangeInput

    @documented(
        "confirm_email_change",
        "Make the new address yours",
        ConfirmChangeInput,
        {200: SuccessOutput},
        request_example=TOKEN,
        response_example=MOVED,
        refusals=[errors.InvalidCode, errors.EmailTaken, *SIGNED_IN, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        if "code" in sent:
            if not request.user.is_authenticated:
                raise errors.NotAuthenticated
            sent["email"] = request.user.email
        confirm_change(Presented(**sent), client_of(request.META))
        return Response(MOVED)
