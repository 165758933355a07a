"""Change a password, or set a new one with what a mail brought."""

from typing import cast

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_of
from latchkey.email_codes.serializers import DetailOutput, MailInput, SuccessOutput
from latchkey.passwords.change import change
from latchkey.passwords.reset import ask_for_reset, confirm_reset
from latchkey.passwords.serializers import ChangeInput, ConfirmResetInput
from latchkey.sessions.serializers import TokenPairOutput
from latchkey.sessions.views import PAIR
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import SIGNED_IN, documented

NEW_PASSWORD = "seven purple trains to the sea"  # noqa: S105 - an example
FLOOR = {"new_password": {"minLength": 8}}  # the policy may ask for more
REFUSED = [errors.PasswordTooShort, errors.PasswordTooLong, errors.PasswordTooCommon, errors.PasswordTooObvious]
ASKED = {"detail": "If this address has an account, a mail with a link and a code is on its way to it."}
RESET = {"success": "Password changed; sign in with the new one."}
TOKEN = {"token": "3J6W6QmG5cXBlMDaRTw1uXxQpmDjCqhI7ZQ8m3yPVnk"}


class ChangePasswordView(ApiView):
    """Change your password. Every session ends; this device gets a new one in the answer."""

    input_class = ChangeInput

    @documented(
        "change_password",
        "Change your password",
        ChangeInput,
        {200: TokenPairOutput},
        request_example={"current_password": "password", "new_password": NEW_PASSWORD},
        response_example=PAIR,
        limits=FLOOR,
        refusals=[errors.WrongPassword, *REFUSED, *SIGNED_IN, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        pair = change(cast("int", request.user.pk), **self.read(request), client=client_of(request.META))
        return Response(TokenPairOutput(pair).data)


class ResetPasswordView(ApiView):
    """Have a mail sent with a link and a code that set a new password. The answer is the same for every address."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = MailInput

    @documented(
        "reset_password",
        "Have a mail sent to set a new password",
        MailInput,
        {202: DetailOutput},
        request_example={"email": "user@example.com"},
        response_example=ASKED,
        refusals=[errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        ask_for_reset(**self.read(request), client=client_of(request.META))
        return Response(ASKED, status=202)


class ConfirmResetView(ApiView):
    """Set a new password with the token of the link, or with your e-mail address and the code. Every session ends."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = ConfirmResetInput

    @documented(
        "confirm_password_reset",
        "Set a new password with what the mail brought",
        ConfirmResetInput,
        {200: SuccessOutput},
        request_example={**TOKEN, "new_password": NEW_PASSWORD},
        response_example=RESET,
        limits=FLOOR,
        refusals=[errors.InvalidCode, *REFUSED, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        confirm_reset(**self.read(request), client=client_of(request.META))
        return Response(RESET)
