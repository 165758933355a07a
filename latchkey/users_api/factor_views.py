"""Endpoints of the second factors of a user, for back ends: list them, reset them."""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.bearer_tokens.authentication import operator_of
from latchkey.core import exceptions as errors
from latchkey.factors.reset import reset_second_factors
from latchkey.passkeys.views import PASSKEY
from latchkey.profile.factors import list_factors
from latchkey.profile.serializers import FactorsOutput
from latchkey.users_api.base_view import USER_ID, USER_READ_ERRORS, WRITE_ERRORS, UserResourceView
from latchkey.users_api.resource_serializers import ResetFactorsInput
from latchkey.web.openapi.operation import operation
from latchkey.web.query import parse_query


class UserFactorsView(UserResourceView):
    """The second factors of a user, without their secrets. DELETE removes all of them, for who has lost them.

    DELETE ends every session of the user, deletes the recovery codes, too, and is told to the user by mail; from then
    on the password signs in alone, unless the policy requires a second factor. It may be repeated.
    """

    input_class = ResetFactorsInput

    @operation(
        "list_user_factors",
        "List the second factors of a user",
        None,
        {200: FactorsOutput},
        response_example={
            "totp": {"confirmed_at": "2026-11-23T08:00:00.000000Z", "last_used_at": None},
            "passkeys": [PASSKEY],
            "recovery_codes": 10,
        },
        problems=USER_READ_ERRORS,
        parameters=[USER_ID],
    )
    def get(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        return Response(FactorsOutput(list_factors(self.user_to_read(user_id).pk)).data)

    @operation(
        "reset_user_factors",
        "Remove all second factors of a user",
        ResetFactorsInput,
        {204: None},
        request_example={"reason": "Identity card seen in a video call"},
        problems=WRITE_ERRORS,
        parameters=[USER_ID],
    )
    def delete(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        user, fields = self.user_to_change(request, user_id), self.validated(request)
        try:
            reset_second_factors([user.pk], fields["reason"], operator_of(request))
        except ValueError as error:
            raise errors.InvalidInput({"reason": [str(error)]}) from error
        return Response(status=204)
