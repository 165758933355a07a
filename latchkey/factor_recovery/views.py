"""Endpoints of the recovery of an account that has lost every second factor: start, cancel, confirm."""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.email_codes.serializers import EmailedCodeInput, SuccessOutput
from latchkey.factor_recovery.cancel import cancel_by_link
from latchkey.factor_recovery.confirm import confirm_recovery
from latchkey.factor_recovery.request import request_recovery
from latchkey.factor_recovery.serializers import CancelRecoveryInput, RecoveryOutput
from latchkey.sign_in.serializers import TicketInput
from latchkey.sign_in.views import TICKET
from latchkey.web.access import PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import USE_EMAILED_CODE, operation

TOKEN = {"token": "3J6W6QmG5cXBlMDaRTw1uXxQpmDjCqhI7ZQ8m3yPVnk"}
REMOVED = {"success": "Second factors removed; sign in with the password."}
CANCELLED = {"success": "No recovery is under way; the second factors stay."}


class RequestRecoveryView(ApiView):
    """Start the recovery of an account that has lost every second factor, with the ticket of a right password.

    The owner is warned by mail at once and each day. When it is due, a mail has a link and a code that remove all
    second factors. While a recovery runs, another request changes nothing, and is answered the same.
    """

    access = PUBLIC
    input_class = TicketInput

    @operation(
        "request_factor_recovery",
        "Start a recovery by mail",
        TicketInput,
        {202: RecoveryOutput},
        request_example={"ticket": TICKET},
        response_example={"due_at": "2026-01-31T12:00:00Z"},
        problems=[errors.InvalidTicket, errors.RecoveryUnavailable, errors.TooManyAttempts],
        links={"cancel_factor_recovery": USE_EMAILED_CODE, "confirm_factor_recovery": USE_EMAILED_CODE},
    )
    def post(self, request: Request) -> Response:
        due_at = request_recovery(**self.validated(request), client=client_info(request.META))
        return Response(RecoveryOutput({"due_at": due_at}).data, status=202)


class CancelRecoveryView(ApiView):
    """Cancel a recovery, with the token of the link that is in every mail about it."""

    access = PUBLIC
    input_class = CancelRecoveryInput

    @operation(
        "cancel_factor_recovery",
        "Cancel a recovery by mail",
        CancelRecoveryInput,
        {200: SuccessOutput},
        request_example=TOKEN,
        response_example=CANCELLED,
        problems=[errors.InvalidCode, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        cancel_by_link(**self.validated(request), client=client_info(request.META))
        return Response(CANCELLED)


class ConfirmRecoveryView(ApiView):
    """Remove all second factors, with the token of the link in the mail, or with your e-mail address and the code.

    Every session ends; sign in with the password.
    """

    access = PUBLIC
    input_class = EmailedCodeInput

    @operation(
        "confirm_factor_recovery",
        "Remove all second factors",
        EmailedCodeInput,
        {200: SuccessOutput},
        request_example=TOKEN,
        response_example=REMOVED,
        problems=[errors.InvalidCode, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        confirm_recovery(**self.validated(request), client=client_info(request.META))
        return Response(REMOVED)
