"""Endpoint of the audit events of a user, for back ends."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.profile.views import BEFORE, EVENT
from latchkey.users_api.base_view import USER_ID, USER_READ_ERRORS, UserResourceView
from latchkey.users_api.events import list_events
from latchkey.users_api.resource_serializers import UserEventsOutput
from latchkey.web.openapi.operation import operation
from latchkey.web.query import parse_query

USER_EVENT = {**EVENT, "actor_id": None, "client_id": ""}


class UserEventsView(UserResourceView):
    """The audit events of a user, newest first, 100 per page; `next` is the `before` of the next page.

    Address and device are those of whoever caused the event: the user, an operator (`actor_id`) or an application
    (`client_id`).
    """

    @operation(
        "list_user_events",
        "List the events of a user",
        None,
        {200: UserEventsOutput},
        response_example={"events": [USER_EVENT], "next": None},
        problems=USER_READ_ERRORS,
        parameters=[
            USER_ID,
            OpenApiParameter(
                "before",
                str,
                description="List events older than the one with this id.",
                pattern=f"^{BEFORE.pattern}$",
            ),
        ],
    )
    def get(self, request: Request, user_id: str) -> Response:
        before = parse_query(request, {"before": BEFORE}).get("before")
        events, following = list_events(self.user_to_read(user_id).pk, int(before) if before else None)
        return Response(UserEventsOutput({"events": events, "next": following}).data)
