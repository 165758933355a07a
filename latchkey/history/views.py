"""What happened to one's own account, page by page."""

import re

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from latchkey.core import errors
from latchkey.history.page import page
from latchkey.history.serializers import HistoryOutput
from latchkey.sessions.authentication import token_of
from latchkey.web.api import ApiView
from latchkey.web.query import query_of
from latchkey.web.schema import SIGNED_IN, documented

EVENT = {
    "id": "4711",
    "at": "2026-11-23T08:00:00.000000Z",
    "event": "login.succeeded",
    "ip": "203.0.113.7",
    "device": "Firefox on Linux",
    "session_id": "1211491509556017937",
    "reason": "",
}
BEFORE = re.compile("[0-9]{1,18}")


class HistoryView(ApiView):
    """What happened to your account, the newest first, a hundred to a page; 'next' leads to what was before."""

    @documented(
        "list_events",
        "List what happened to your account",
        None,
        {200: HistoryOutput},
        response_example={"events": [EVENT], "next": None},
        refusals=[*SIGNED_IN, errors.InvalidInput],
        asked=[OpenApiParameter("before", str, description="The id of an event.", pattern=f"^{BEFORE.pattern}$")],
    )
    def get(self, request: Request) -> Response:
        before = query_of(request, {"before": BEFORE}).get("before")
        events, older = page(token_of(request).user_id, int(before) if before else None)
        following = older and f"{reverse('me/events', request=request)}?before={older}"
        return Response(HistoryOutput({"events": events, "next": following}).data)
