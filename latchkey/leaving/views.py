"""The way out, and what one may take along."""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.accounts import views as accounts
from latchkey.core import errors
from latchkey.core.client import client_of
from latchkey.leaving.export import export
from latchkey.leaving.leave import leave
from latchkey.leaving.serializers import ExportOutput, LeaveInput
from latchkey.sessions.authentication import token_of
from latchkey.web.api import ApiView
from latchkey.web.query import query_of
from latchkey.web.schema import SIGNED_IN, documented

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


class MeView(accounts.MeView):
    """Your own record: read it, change your display name, or close your account."""

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
