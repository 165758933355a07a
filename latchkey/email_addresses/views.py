"""Confirm an e-mail address, change it."""

from typing import cast

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.email_addresses.change import confirm_email_change, request_email_change
from latchkey.email_addresses.serializers import ChangeEmailInput, ConfirmChangeInput
from latchkey.email_addresses.verify import request_verification, verify_email
from latchkey.email_codes.redeem import Submitted
from latchkey.email_codes.serializers import DetailOutput, EmailInput, PresentedInput, SuccessOutput
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import AUTH_ERRORS, operation

TOKEN = {"token": "3J6W6QmG5cXBlMDaRTw1uXxQpmDjCqhI7ZQ8m3yPVnk"}
VERIFICATION_REQUESTED = {
    "detail": "If this address waits to be confirmed, a mail with a link and a code is on its way to it."
}
VERIFIED = {"success": "E-mail address confirmed."}
CHANGE_REQUESTED = {
    "detail": "A mail with a link and a code is on its way to the new address; until then nothing changes."
}
CHANGED = {"success": "E-mail address changed."}


class VerifyEmailView(ApiView):
    """Confirm your e-mail address with the token of the link, or with the address and the code."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = PresentedInput

    @operation(
        "verify_email",
        "Confirm your e-mail address",
        PresentedInput,
        {200: SuccessOutput},
        request_example=TOKEN,
        response_example=VERIFIED,
        problems=[errors.InvalidCode, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        verify_email(**self.validated(request), client=client_info(request.META))
        return Response(VERIFIED)


class ResendView(ApiView):
    """Have the mail sent again that confirms an address. The answer is the same for every address."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = EmailInput

    @operation(
        "resend_verification",
        "Have the mail sent again that confirms an address",
        EmailInput,
        {202: DetailOutput},
        request_example={"email": "user@example.com"},
        response_example=VERIFICATION_REQUESTED,
        problems=[errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        request_verification(**self.validated(request), client=client_info(request.META))
        return Response(VERIFICATION_REQUESTED, status=202)


class ChangeEmailView(ApiView):
    """Have a mail sent to a new address of yours. The answer is the same whether or not somebody else has it."""

    input_class = ChangeEmailInput

    @operation(
        "change_email",
        "Ask for another e-mail address",
        ChangeEmailInput,
        {202: DetailOutput},
        request_example={"email": "new@example.com", "password": "password"},
        response_example=CHANGE_REQUESTED,
        problems=[
            *(errors.WrongPassword, errors.PasswordTooLong, errors.EmailTaken),
            *AUTH_ERRORS,
            errors.TooManyAttempts,
        ],
    )
    def post(self, request: Request) -> Response:
        request_email_change(cast("int", request.user.pk), **self.validated(request), client=client_info(request.META))
        return Response(CHANGE_REQUESTED, status=202)


class ConfirmChangeView(ApiView):
    """Make the new address yours with the token of the link; or, signed in, with the code. Sessions go on."""

    permission_classes = (AllowAny,)
    input_class = ConfirmChangeInput

    @operation(
        "confirm_email_change",
        "Make the new address yours",
        ConfirmChangeInput,
        {200: SuccessOutput},
        request_example=TOKEN,
        response_example=CHANGED,
        problems=[errors.InvalidCode, errors.EmailTaken, *AUTH_ERRORS, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        sent = self.validated(request)
        if "code" in sent:
            if not request.user.is_authenticated:
                raise errors.NotAuthenticated
            sent["email"] = request.user.email
        confirm_email_change(Submitted(**sent), client_info(request.META))
        return Response(CHANGED)
