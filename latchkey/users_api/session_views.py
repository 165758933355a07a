"""Endpoints of the sessions of a user and of the lock after failed sign-ins, for back ends."""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.accounts.admin_actions import reset_rate_limits, sign_out_everywhere
from latchkey.bearer_tokens.authentication import operator_of
from latchkey.user_sessions.sessions import NO_SESSION, end_session_of, list_sessions
from latchkey.user_sessions.views import ID, SESSION, parse_session_id
from latchkey.users_api.base_view import USER_ID, USER_READ_ERRORS, WRITE_ERRORS, UserResourceView, named_in_path
from latchkey.users_api.resource_serializers import UserSessionOutput
from latchkey.web.openapi.operation import operation
from latchkey.web.query import parse_query

USER_SESSION = {name: value for name, value in SESSION.items() if name != "current"}
SESSION_ID = named_in_path("session_id", ID.pattern, "The id of a session, from GET /api/users/<user_id>/sessions/.")


class UserSessionsView(UserResourceView):
    """The sessions of a user: GET lists the signed-in devices, the most recently used first; DELETE ends all of them.

    Their access tokens are refused at once; services that verify tokens locally accept them until they expire.
    """

    @operation(
        "list_user_sessions",
        "List the sessions of a user",
        None,
        {200: UserSessionOutput(many=True)},
        response_example=[USER_SESSION],
        problems=USER_READ_ERRORS,
        parameters=[USER_ID],
        links={"end_user_session": {"parameters": {"session_id": "$response.body#/0/id"}}},
    )
    def get(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        found = list_sessions(self.user_to_read(user_id).pk, NO_SESSION)
        return Response(UserSessionOutput(found, many=True).data)

    @operation(
        "end_user_sessions",
        "End all sessions of a user",
        None,
        {204: None},
        problems=WRITE_ERRORS,
        parameters=[USER_ID],
    )
    def delete(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        sign_out_everywhere([self.user_to_change(request, user_id).pk], operator_of(request))
        return Response(status=204)


class UserSessionView(UserResourceView):
    """End one session of a user, which signs that device out."""

    @operation(
        "end_user_session",
        "End one session of a user",
        None,
        {204: None},
        problems=WRITE_ERRORS,
        parameters=[USER_ID, SESSION_ID],
    )
    def delete(self, request: Request, user_id: str, session_id: str) -> Response:
        parse_query(request, {})
        user = self.user_to_change(request, user_id)
        end_session_of(user.pk, parse_session_id(session_id), operator_of(request))
        return Response(status=204)


class UnlockUserView(UserResourceView):
    """Unlock a user after failed sign-ins: wrong passwords and wrong codes of a second factor are forgotten."""

    @operation(
        "unlock_user",
        "Unlock a user after failed sign-ins",
        None,
        {204: None},
        problems=WRITE_ERRORS,
        parameters=[USER_ID],
    )
    def post(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        reset_rate_limits([self.user_to_change(request, user_id).pk], operator_of(request))
        return Response(status=204)
