"""One's own record.

The way out, and what one may take along.

What happened to one's own account, page by page.
"""

import re
from typing import cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from latchkey.accounts.models import User
from latchkey.core import exceptions as errors
from latchkey.core.client import client_of
from latchkey.profile.delete_account import leave
from latchkey.profile.export import export
from latchkey.profile.history import page
from latchkey.profile.serializers import ExportOutput, HistoryOutput, LeaveInput, MeInput, MeOutput
from latchkey.sessions.authentication import token_of
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import SIGNED_IN, documented
from latchkey.web.query import query_of

ME = {"id": 1, "username": "John Smith", "email": "user@example.com"}


def _caller(request: Request) -> User:
    return cast("User", request.user)


class MeView(ApiView):
    """Your own record: read it, change your display name, or close your account."""

    input_class = MeInput

    @documented(
        "read_me",
        "Read your own record",
        None,
        {200: MeOutput},
        response_example={**ME, "username": ""},
        refusals=SIGNED_IN,
    )
    def get(self, request: Request) -> Response:
        return Response(MeOutput(_caller(request)).data)

    @documented(
        "replace_me",
        "Set your display name",
        MeInput,
        {200: MeOutput},
        request_example={"username": "John Smith"},
        response_example=ME,
        refusals=SIGNED_IN,
    )
    def put(self, request: Request) -> Response:
        return Response(MeOutput(_caller(request).set_display_name(**self.read(request))).data)

    @documented(
        "update_me",
        "Change your display name",
        MeInput,
        {200: MeOutput},
        request_example={"username": "John Smith"},
        response_example=ME,
        refusals=SIGNED_IN,
    )
    def patch(self, request: Request) -> Response:
        changes = self.read(request, partial=True)
        return Response(MeOutput(_caller(request).set_display_name(**changes) if changes else _caller(request)).data)

    @documented(
        "leave",
        "Close your account",
        LeaveInput,
        {204: None},
        request_example={"password": "password"},
        refusals=[
            *SIGNED_IN,
            errors.WrongPassword,
            errors.PasswordTooLong,
            errors.LastSuperuser,
            errors.TooManyAttempts,
        ],
    )
    def delete(self, request: Request) -> Response:
        leave(token_of(request).user_id, **self.read(request, LeaveInput), client=client_of(request.META))
        return Response(status=204)


ACCOUNT = {
    "id": 1,
    "email": "user@example.com",
    "email_verified_at": None,
    "username": "John Smith",
    "created_at": "2026-11-23T08:00:00.000000Z",
    "is_active": True,
    "is_staff": False,
    "is_superuser": False,
    "groups": [],
    "user_permissions": [],
}
KINDS = ("sessions", "events", "mails", "codes", "attempts", "actions", "changes")


class ExportView(ApiView):
    """Everything that is held about you, but what is secret, as one file."""

    @documented(
        "export",
        "Take along what is held about you",
        None,
        {200: ExportOutput},
        response_example={"account": ACCOUNT, **{kind: [] for kind in KINDS}},
        refusals=[*SIGNED_IN, errors.InvalidInput],
        response_headers={"Content-Disposition": "attachment, with the name of a file"},
    )
    def get(self, request: Request) -> Response:
        query_of(request, {})
        held, is_page = export(token_of(request).user_id), request.accepted_renderer.format == "api"
        saved = {} if is_page else {"Content-Disposition": 'attachment; filename="latchkey-export.json"'}
        return Response(ExportOutput(held).data, headers=saved)


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
