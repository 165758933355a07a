"""Password endpoints: change the password, request a reset, confirm it."""

from typing import cast

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.email_codes.serializers import DetailOutput, EmailInput, SuccessOutput
from latchkey.passwords.change import change_password
from latchkey.passwords.reset import confirm_reset, request_reset
from latchkey.passwords.serializers import ChangeInput, ConfirmResetInput
from latchkey.sessions.authentication import authentication_of
from latchkey.sessions.serializers import TokenPairOutput
from latchkey.sessions.views import PAIR
from latchkey.web.access import PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import USE_ACCESS_TOKEN, USE_EMAILED_CODE, operation

NEW_PASSWORD = "seven purple trains to the sea"  # noqa: S105 - an example
MIN_LENGTH = {"new_password": {"minLength": 8}}  # the policy may ask for more
PASSWORD_ERRORS = [errors.PasswordTooShort, errors.PasswordTooLong, errors.PasswordTooCommon, errors.PasswordTooObvious]
REQUESTED = {"detail": "If this address has an account, a mail with a link and a code is on its way to it."}
RESET = {"success": "Password changed; sign in with the new one."}
TOKEN = {"token": "3J6W6QmG5cXBlMDaRTw1uXxQpmDjCqhI7ZQ8m3yPVnk"}


class ChangePasswordView(ApiView):
    """Change your password, by giving the current one.

    Every session ends. The answer holds the tokens of a new session for this device.
    """

    hashes_password = frozenset({"POST"})
    input_class = ChangeInput

    @operation(
        "change_password",
        "Change your password",
        ChangeInput,
        {200: TokenPairOutput},
        request_example={"current_password": "password", "new_password": NEW_PASSWORD},
        response_example=PAIR,
        limits=MIN_LENGTH,
        problems=[errors.WrongPassword, *PASSWORD_ERRORS, errors.StepUpRequired, errors.TooManyAttempts],
        after_token_pair=USE_ACCESS_TOKEN,
        returns_token_pair=True,
    )
    def post(self, request: Request) -> Response:
        pair = change_password(
            cast("int", request.user.pk),
            authentication_of(request),
            **self.validated(request),
            client=client_info(request.META),
        )
        return Response(TokenPairOutput(pair).data)


class ResetPasswordView(ApiView):
    """Request a mail with a link and a code to set a new password.

    The answer is the same for every address, so that nobody learns who has an account.
    """

    access = PUBLIC
    input_class = EmailInput

    @operation(
        "reset_password",
        "Request a password reset",
        EmailInput,
        {202: DetailOutput},
        request_example={"email": "user@example.com"},
        response_example=REQUESTED,
        problems=[errors.TooManyAttempts],
        links={"confirm_password_reset": USE_EMAILED_CODE},
    )
    def post(self, request: Request) -> Response:
        request_reset(**self.validated(request), client=client_info(request.META))
        return Response(REQUESTED, status=202)


class ConfirmResetView(ApiView):
    """Set a new password, with the token of the link in the mail, or with your e-mail address and the code.

    Every session ends; sign in with the new password.
    """

    hashes_password = frozenset({"POST"})
    access = PUBLIC
    input_class = ConfirmResetInput

    @operation(
        "confirm_password_reset",
        "Set a new password",
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
