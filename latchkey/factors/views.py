"""Endpoints of one's own authenticator app and recovery codes.

All of them change something, and ask for a recent proof: 403 `step_up_required` says so, and POST /api/step-up/ gives
it.
"""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.factors import own_factors
from latchkey.factors.own_factors import Caller
from latchkey.factors.serializers import ConfirmTotpInput, RecoveryCodesOutput, TotpEnrolmentOutput
from latchkey.factors.totp import PENDING_LIFETIME, qr_code_svg
from latchkey.sessions.authentication import access_token_of, authentication_of
from latchkey.web.access import PERSON_STEP_UP
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import USE_ACCESS_TOKEN, operation
from latchkey.web.query import parse_query

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - an example
ENROLMENT = {
    "secret": SECRET,
    "uri": f"otpauth://totp/Example:user@example.com?secret={SECRET}&issuer=Example",
    "expires_in": 600,
    "qr_code": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 45 45">...</svg>',
}
RECOVERY_CODES = {"recovery_codes": ["7K3M9-QRTVW", "0A1B2-C3D4E"]}
CHANGE_ERRORS = [errors.StepUpRequired]
ENROLMENT_ERRORS = [*CHANGE_ERRORS, errors.EnrolmentClosed, errors.EmailNotVerified]


def caller_of(request: Request) -> Caller:
    """Return who asks for a change, and what the session has proved."""
    token = access_token_of(request)
    return Caller(token.user_id, token.session_id, authentication_of(request))


class TotpView(ApiView):
    """Your authenticator app: POST starts to set one up, DELETE removes it."""

    access = PERSON_STEP_UP

    @operation(
        "begin_totp",
        "Set up an authenticator app",
        None,
        {200: TotpEnrolmentOutput},
        response_example=ENROLMENT,
        problems=[*ENROLMENT_ERRORS, errors.InvalidInput, errors.TotpExists],
        after_token_pair=USE_ACCESS_TOKEN,
        links={"confirm_totp": {"description": "Send a code that the app shows."}},
    )
    def post(self, request: Request) -> Response:
        parse_query(request, {})
        begun = own_factors.begin_totp(caller_of(request))
        answer = {
            "secret": begun.secret,
            "uri": begun.uri,
            "expires_in": int(PENDING_LIFETIME.total_seconds()),
            "qr_code": qr_code_svg(begun.uri),
        }
        return Response(TotpEnrolmentOutput(answer).data)

    @operation(
        "remove_totp",
        "Remove your authenticator app",
        None,
        {204: None},
        problems=[*CHANGE_ERRORS, errors.InvalidInput, errors.NotFound],
    )
    def delete(self, request: Request) -> Response:
        parse_query(request, {})
        own_factors.remove_totp(caller_of(request), client_info(request.META))
        return Response(status=204)


class ConfirmTotpView(ApiView):
    """Confirm your authenticator app with a code that it shows. From then on every sign-in asks for one.

    All your other sessions end. The answer has recovery codes, for the day on which the app is lost.
    """

    access = PERSON_STEP_UP
    input_class = ConfirmTotpInput

    @operation(
        "confirm_totp",
        "Confirm your authenticator app",
        ConfirmTotpInput,
        {200: RecoveryCodesOutput},
        request_example={"code": "287082"},
        response_example=RECOVERY_CODES,
        problems=[*ENROLMENT_ERRORS, errors.InvalidFactorCode, errors.TooManyAttempts],
    )
    def post(self, request: Request) -> Response:
        given = self.validated(request)
        codes = own_factors.confirm_totp(caller_of(request), **given, client=client_info(request.META))
        return Response(RecoveryCodesOutput({"recovery_codes": codes}).data)


class RecoveryCodesView(ApiView):
    """Make new recovery codes. They replace the old ones, and no other request shows them again."""

    access = PERSON_STEP_UP

    @operation(
        "renew_recovery_codes",
        "Make new recovery codes",
        None,
        {200: RecoveryCodesOutput},
        response_example=RECOVERY_CODES,
        problems=[*CHANGE_ERRORS, errors.InvalidInput, errors.NoSecondFactor],
    )
    def post(self, request: Request) -> Response:
        parse_query(request, {})
        codes = own_factors.renew_recovery_codes(caller_of(request), client_info(request.META))
        return Response(RecoveryCodesOutput({"recovery_codes": codes}).data)
