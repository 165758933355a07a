"""Endpoints of mails to a user at the request of a back end: password reset and verification."""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.bearer_tokens.authentication import operator_of
from latchkey.email_codes.serializers import DetailOutput
from latchkey.users_api.base_view import USER_ID, WRITE_ERRORS, UserResourceView
from latchkey.users_api.mails import send_reset_mail, send_verification_mail
from latchkey.web.openapi.operation import operation
from latchkey.web.query import parse_query

ON_ITS_WAY = {"detail": "A mail with a link and a code is on its way to the user."}


class SendPasswordResetView(UserResourceView):
    """Send a user the mail with a link and a code to set a new password. The present password works until then.

    400 for a user who is deactivated, 503 where the service has no mail server. The link is valid for 30 minutes, and
    of several mails the last three are.
    """

    @operation(
        "send_password_reset",
        "Send a user a password reset mail",
        None,
        {202: DetailOutput},
        response_example=ON_ITS_WAY,
        problems=WRITE_ERRORS,
        parameters=[USER_ID],
    )
    def post(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        send_reset_mail(self.user_to_change(request, user_id), operator_of(request))
        return Response(DetailOutput(ON_ITS_WAY).data, status=202)


class SendVerificationView(UserResourceView):
    """Send a user the mail with a link and a code to verify the e-mail address.

    400 for a user who is deactivated or whose address is verified, 503 where the service has no mail server.
    """

    @operation(
        "send_verification",
        "Send a user a verification mail",
        None,
        {202: DetailOutput},
        response_example=ON_ITS_WAY,
        problems=WRITE_ERRORS,
        parameters=[USER_ID],
    )
    def post(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        send_verification_mail(self.user_to_change(request, user_id), operator_of(request))
        return Response(DetailOutput(ON_ITS_WAY).data, status=202)
