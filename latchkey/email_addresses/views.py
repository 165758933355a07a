"""Confirm an e-mail address, change it."""

from typing import cast

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_of
from latchkey.email_addresses.change import ask_for_change, confirm_change
from latchkey.email_addresses.serializers import ChangeEmailInput, ConfirmChangeInput
from latchkey.email_addresses.verify import ask_for_verification, verify_email
from latchkey.email_codes.redeem import Presented
from latchkey.email_codes.serializers import DetailOutput, MailInput, PresentedInput, SuccessOutput
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import SIGNED_IN, documented

TOKEN = {"token": "3J6W6QmG5cXBlMDaRTw1uXxQpmDjCqhI7ZQ8m3yPVnk"}
ASKED = {"detail": "If this address waits to be confirmed, a mail with a link and a code is on its way to it."}
VERIFIED = {"success": "E-mail address confirmed."}
MOVING = {"detail": "A mail with a link and a code is on its way to the new address; until then nothing changes."}
MOVED = {"success": "E-mail address changed."}


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
