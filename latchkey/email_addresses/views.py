"""E-mail address endpoints: verify an address, send the mail again, change the address, confirm the change."""

from typing import cast

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.email_addresses.change import confirm_email_change, request_email_change
from latchkey.email_addresses.serializers import ChangeEmailInput, ConfirmChangeInput
from latchkey.email_addresses.verify import request_verification, verify_email
from latchkey.email_codes.one_time_codes import Submitted
from latchkey.email_codes.serializers import DetailOutput, EmailedCodeInput, EmailInput, SuccessOutput
from latchkey.web.access import OPTIONAL, PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import USE_ACCESS_TOKEN, USE_EMAILED_CODE, operation

TOKEN = {"token": "3J6W6QmG5cXBlMDaRTw1uXxQpmDjCqhI7ZQ8m3yPVnk"}
VERIFICATION_REQUESTED = {
    "detail": "If this address has an account and is not verified, a mail with a link and a code is on its way to it."
}
VERIFIED = {"success": "E-mail address verified."}
CHANGE_REQUESTED = {
    "detail": "A mail with a link and a code is on its way to the new address; nothing changes until it is confirmed."
}
CHANGED = {"success": "E-mail address changed."}


class VerifyEmailView(ApiView):
    """Verify your e-mail address, with the token of the link in the mail, or with the address and the code."""

    access = PUBLIC
    input_class = EmailedCodeInput

    @operation(
        "verify_email",
        "Verify your e-mail address",
        EmailedCodeInput,
        {200: SuccessOutput},
        request_example=TOKEN,
        response_example=VERIFIED,
        problems=[errors.InvalidCode, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        verify_email(**self.validated(request), client=client_info(request.META))
        return Response(VERIFIED)


class ResendView(ApiView):
    """Request the mail that verifies an address once more.

    The answer is the same for every address, so that nobody learns who has an account.
    """

    access = PUBLIC
    input_class = EmailInput

    @operation(
        "resend_verification",
        "Send the verification mail again",
        EmailInput,
        {202: DetailOutput},
        request_example={"email": "user@example.com"},
        response_example=VERIFICATION_REQUESTED,
        problems=[errors.TooManyAttempts],
        links={"verify_email": USE_EMAILED_CODE},
    )
    def post(self, request: Request) -> Response:
        request_verification(**self.validated(request), client=client_info(request.META))
        return Response(VERIFICATION_REQUESTED, status=202)


class ChangeEmailView(ApiView):
    """Request a change of your e-mail address: a mail with a link and a code goes to the new one.

    The answer is the same whether or not another account has the new address.
    """

    hashes_password = frozenset({"POST"})
    input_class = ChangeEmailInput

    @operation(
        "change_email",
        "Request a change of e-mail address",
        ChangeEmailInput,
        {202: DetailOutput},
        request_example={"email": "new@example.com", "password": "password"},
        response_example=CHANGE_REQUESTED,
        problems=[
            *(errors.WrongPassword, errors.PasswordTooLong, errors.EmailTaken),
            errors.TooManyAttempts,
        ],
        after_token_pair=USE_ACCESS_TOKEN,
        links={"confirm_email_change": USE_EMAILED_CODE},
    )
    def post(self, request: Request) -> Response:
        request_email_change(cast("int", request.user.pk), **self.validated(request), client=client_info(request.META))
        return Response(CHANGE_REQUESTED, status=202)


class ConfirmChangeView(ApiView):
    """Confirm the new e-mail address, with the token of the link in the mail; or with the code and an access token.

    Sessions continue. From now on you sign in with the new address.
    """

    access = OPTIONAL
    input_class = ConfirmChangeInput

    @operation(
        "confirm_email_change",
        "Confirm the change of e-mail address",
        ConfirmChangeInput,
        {200: SuccessOutput},
        request_example=TOKEN,
        response_example=CHANGED,
        problems=[errors.InvalidCode, errors.EmailTaken, errors.NotAuthenticated, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        sent = self.validated(request)
        if "code" in sent:
            if not request.user.is_authenticated:
                raise errors.NotAuthenticated
            sent["email"] = request.user.email
        confirm_email_change(Submitted(**sent), client_info(request.META))
        return Response(CHANGED)
