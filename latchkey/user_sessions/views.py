"""Endpoints of one's own sessions: list them, end one, end all others."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.sessions.authentication import access_token_of
from latchkey.user_sessions.serializers import EndedOutput, SessionOutput
from latchkey.user_sessions.sessions import NO_SESSION, end_other_sessions, end_session, list_sessions
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import USE_ACCESS_TOKEN, operation
from latchkey.web.query import parse_query

SESSION = {
    "id": "1211491509556017937",
    "created_at": "2026-11-23T08:00:00.000000Z",
    "last_used_at": "2026-11-23T09:30:00.000000Z",
    "expires_at": "2026-12-23T09:30:00.000000Z",
    "ip": "203.0.113.7",
    "device": "Firefox on Linux",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "current": True,
    "amr": ["pwd"],
    "acr": "aal1",
    "authenticated_at": "2026-11-23T08:00:00.000000Z",
}
BOOLEAN = re.compile("true|false")
ID = re.compile("0|[1-9][0-9]{0,18}")
MAX_ID = 2**63 - 1  # the highest id of a session: a 64-bit column


class SessionsView(ApiView):
    """Your sessions: the devices where you are signed in.

    GET lists them, the most recently used first. DELETE ends all of them except the one that makes the request; with
    ?all=true that one, too.
    """

    @operation(
        "list_sessions",
        "List your sessions",
        None,
        {200: SessionOutput(many=True)},
        response_example=SESSION,
        problems=[errors.InvalidInput],
        after_token_pair=USE_ACCESS_TOKEN,
        links={"end_session": {"parameters": {"session_id": "$response.body#/0/id"}, **USE_ACCESS_TOKEN}},
    )
    def get(self, request: Request) -> Response:
        parse_query(request, {})
        token = access_token_of(request)
        return Response(SessionOutput(list_sessions(token.user_id, token.session_id), many=True).data)

    @operation(
        "end_sessions",
        "End your other sessions",
        None,
        {200: EndedOutput},
        response_example={"ended": 2},
        problems=[errors.InvalidInput],
        parameters=[OpenApiParameter("all", bool, description="Whether to end this session, too.", default=False)],
        after_token_pair=USE_ACCESS_TOKEN,
    )
    def delete(self, request: Request) -> Response:
        token, includes_own = access_token_of(request), parse_query(request, {"all": BOOLEAN}).get("all") == "true"
        kept = NO_SESSION if includes_own else token.session_id
        return Response({"ended": end_other_sessions(token.user_id, client_info(request.META), kept)})


class SessionView(ApiView):
    """End one of your sessions, which signs that device out. Ending the session of this request signs you out.

    Latchkey refuses its access tokens at once; services that verify tokens locally accept them until they expire.
    """

    @operation(
        "end_session",
        "End one of your sessions",
        None,
        {204: None},
        problems=[errors.InvalidInput, errors.NotFound],
        parameters=[
            OpenApiParameter(
                "session_id",
                str,
                OpenApiParameter.PATH,
                description="The id of a session, from GET /api/sessions/.",
                pattern=f"^({ID.pattern})$",
            )
        ],
    )
    def delete(self, request: Request, session_id: str) -> Response:
        parse_query(request, {})
        end_session(access_token_of(request).user_id, parse_session_id(session_id), client_info(request.META))
        return Response(status=204)


def parse_session_id(text: Any) -> int:
    """Return the id as a number; raises NotFound for a text that is not the id of any session."""
    if not ID.fullmatch(text) or int(text) > MAX_ID:
        raise errors.NotFound
    return int(text)
