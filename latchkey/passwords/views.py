"""Change a password, or set a new one with what a mail brought."""

from typing import cast

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.email_codes.serializers import DetailOutput, EmailInput, SuccessOutput
from latchkey.passwords.change import change_password
from latchkey.passwords.reset import confirm_reset, request_reset
from latchkey.passwords.serializers import ChangeInput, ConfirmResetInput
from latchkey.sessions.serializers import TokenPairOutput
from latchkey.sessions.views import PAIR
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import AUTH_ERRORS, operation

NEW_PASSWORD = "seven purple trains to the sea"  # noqa: S105 - an example
MIN_LENGTH = {"new_password": {"minLength": 8}}  # the policy may ask for more
PASSWORD_ERRORS = [errors.PasswordTooShort, errors.PasswordTooLong, errors.PasswordTooCommon, errors.PasswordTooObvious]
REQUESTED = {"detail": "If this address has an account, a mail with a link and a code is on its way to it."}
RESET = {"success": "Password changed; sign in with the new one."}
TOKEN = {"token": "3J6W6QmG5cXBlMDaRTw1uXxQpmDjCqhI7ZQ8m3yPVnk"}


class ChangePasswordView(ApiView):
    """Change your password. Every session ends; this device gets a new one in the answer."""

    input_class = ChangeInput

    @operation(
        "change_password",
        "Change your password",
        ChangeInput,
        {200: TokenPairOutput},
        request_example={"current_password": "password", "new_password": NEW_PASSWORD},
        response_example=PAIR,
        limits=MIN_LENGTH,
        problems=[errors.WrongPassword, *PASSWORD_ERRORS, *AUTH_ERRORS, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        pair = change_password(
            cast("int", request.user.pk), **self.validated(request), client=client_info(request.META)
        )
        return Response(TokenPairOutput(pair).data)


class ResetPasswordView(ApiView):
    """Have a mail sent with a link and a code that set a new password. The answer is the same for every address."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = EmailInput

    @operation(
        "reset_password",
        "Have a mail sent to set a new password",
        EmailInput,
        {202: DetailOutput},
        request_example={"email": "user@example.com"},
        response_example=REQUESTED,
        problems=[errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        request_reset(**self.validated(request), client=client_info(request.META))
        return Response(REQUESTED, status=202)


class ConfirmResetView(ApiView):
    """Set a new password with the token of the link, or with your e-mail address and the code. Every session ends."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    input_class = ConfirmResetInput

    @operation(
        "confirm_password_reset",
        "Set a new password with what the mail brought",
        ConfirmResetInput,
        {200: SuccessOutput},
        request_example={**TOKEN, "new_password": NEW_PASSWORD},
        response_example=RESET,
        limits=MIN_LENGTH,
        problems=[errors.InvalidCode, *PASSWORD_ERRORS, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        confirm_reset(**self.validated(request), client=client_info(request.META))
        return Response(RESET)
