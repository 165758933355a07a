"""The list of one's own sessions, and their end."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.core import exceptions as errors
from latchkey.core.client import client_of
from latchkey.sessions.authentication import token_of
from latchkey.user_sessions.serializers import DeviceOutput, EndedOutput
from latchkey.user_sessions.sessions import NONE, devices, end_all_own, end_own
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import SIGNED_IN, documented
from latchkey.web.query import query_of

DEVICE = {
    "id": "1211491509556017937",
    "created_at": "2026-11-23T08:00:00.000000Z",
    "last_used_at": "2026-11-23T09:30:00.000000Z",
    "expires_at": "2026-12-23T09:30:00.000000Z",
    "ip": "203.0.113.7",
    "device": "Firefox on Linux",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "current": True,
}
SWITCH = re.compile("true|false")
ID = re.compile("0|[1-9][0-9]{0,18}")
LARGEST = 2**63 - 1  # of the ids that a session can have


class DevicesView(ApiView):
    """Where you are signed in. DELETE ends every session but this one, with ?all=true this one too."""

    @documented(
        "list_sessions",
        "List your sessions",
        None,
        {200: DeviceOutput(many=True)},
        response_example=DEVICE,
        refusals=[*SIGNED_IN, errors.InvalidInput],
    )
    def get(self, request: Request) -> Response:
        query_of(request, {})
        token = token_of(request)
        return Response(DeviceOutput(devices(token.user_id, token.session_id), many=True).data)

    @documented(
        "end_sessions",
        "End your other sessions",
        None,
        {200: EndedOutput},
        response_example={"ended": 2},
        refusals=[*SIGNED_IN, errors.InvalidInput],
        asked=[OpenApiParameter("all", bool, description="Whether this session ends too.", default=False)],
    )
    def delete(self, request: Request) -> Response:
        token, with_this_one = token_of(request), query_of(request, {"all": SWITCH}).get("all") == "true"
        spared = NONE if with_this_one else token.session_id
        return Response({"ended": end_all_own(token.user_id, client_of(request.META), spared)})


class DeviceView(ApiView):
    """End one of your sessions; its access tokens stop working here at once. To end this one is to sign out."""

    @documented(
        "end_session",
        "End one of your sessions",
        None,
        {204: None},
        refusals=[*SIGNED_IN, errors.InvalidInput, errors.NotFound],
        asked=[OpenApiParameter("session_id", str, OpenApiParameter.PATH, pattern=f"^({ID.pattern})$")],
    )
    def delete(self, request: Request, session_id: str) -> Response:
        query_of(request, {})
        end_own(token_of(request).user_id, id_in(session_id), client_of(request.META))
        return Response(status=204)


def id_in(text: Any) -> int:
    """Return the id that a list answered; raises NotFound for what no list answers."""
    if not ID.fullmatch(text) or int(text) > LARGEST:
        raise errors.NotFound
    return int(text)
