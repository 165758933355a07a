"""Endpoints of enrolment within a sign-in, for accounts that must have a second factor and have none."""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.factors.totp import PENDING_LIFETIME, qr_code_svg
from latchkey.sessions.views import PAIR
from latchkey.sign_in.enrolment import begin_totp, enrol_totp
from latchkey.sign_in.serializers import EnrolledOutput, EnrolTotpInput, TicketInput, TotpSecretOutput
from latchkey.sign_in.views import TICKET
from latchkey.web.access import PUBLIC
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import operation

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - an example
URI = f"otpauth://totp/Example:user@example.com?secret={SECRET}&issuer=Example"
RECOVERY_CODES = ["9W3KQ-T7HZM", "4XN0B-VC2RD"]


class BeginTotpEnrolmentView(ApiView):
    """Get a secret for an authenticator app, with the ticket of a sign-in that was answered 403 with `enrol`."""

    access = PUBLIC
    input_class = TicketInput

    @operation(
        "login_begin_totp",
        "Sign in: begin to set up an authenticator app",
        TicketInput,
        {200: TotpSecretOutput},
        request_example={"ticket": TICKET},
        response_example={"secret": SECRET, "uri": URI, "qr_code": "<svg>...</svg>", "expires_in": 600},
        problems=[errors.InvalidTicket],
        links={"login_enrol_totp": {"requestBody": {"ticket": "$request.body#/ticket"}}},
    )
    def post(self, request: Request) -> Response:
        enrolment = begin_totp(self.validated(request)["ticket"])
        seconds = int(PENDING_LIFETIME.total_seconds())
        shown = {"secret": enrolment.secret, "uri": enrolment.uri, "qr_code": qr_code_svg(enrolment.uri)}
        return Response({**shown, "expires_in": seconds})


class EnrolTotpView(ApiView):
    """Confirm the authenticator app by its first code, and finish the sign-in."""

    access = PUBLIC
    input_class = EnrolTotpInput

    @operation(
        "login_enrol_totp",
        "Sign in: confirm the authenticator app",
        EnrolTotpInput,
        {200: EnrolledOutput},
        request_example={"ticket": TICKET, "code": "287082"},
        response_example={**PAIR, "recovery_codes": RECOVERY_CODES},
        problems=[errors.InvalidFactorCode, errors.InvalidTicket, errors.TooManyAttempts],
        returns_token_pair=True,
    )
    def post(self, request: Request) -> Response:
        enrolled = enrol_totp(**self.validated(request), client=client_info(request.META))
        pair = {"access_token": enrolled.pair.access_token, "refresh_token": str(enrolled.pair.refresh_token)}
        return Response({**pair, "recovery_codes": enrolled.recovery_codes})
