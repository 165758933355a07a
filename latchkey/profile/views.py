"""Endpoints of one's own account: read, change and delete it, export its data, list its security history."""

import re
from typing import cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from latchkey.accounts.models import User
from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.passkeys.views import PASSKEY
from latchkey.profile.delete_account import delete_account
from latchkey.profile.export import export
from latchkey.profile.factors import list_factors
from latchkey.profile.fast_path import ME
from latchkey.profile.history import list_events
from latchkey.profile.serializers import (
    DeleteAccountInput,
    EmailStatusOutput,
    ExportOutput,
    FactorsOutput,
    HistoryOutput,
    MeInput,
    MeOutput,
)
from latchkey.sessions.authentication import access_token_of
from latchkey.web.access import PERSON_OR_KEY
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import USE_ACCESS_TOKEN, operation
from latchkey.web.query import parse_query

RECORD = {"id": 1, "username": "John Smith", "email": "user@example.com"}


def _caller(request: Request) -> User:
    return cast("User", request.user)


class MeView(ApiView):
    """Your account: GET reads it, PUT and PATCH set the display name, DELETE deletes it with the password."""

    access = {"GET": PERSON_OR_KEY}
    hashes_password = frozenset({"DELETE"})
    fast_handlers = {"GET": ME}
    input_class = MeInput

    @operation(
        "read_me",
        "Read your account",
        None,
        {200: MeOutput},
        response_example={**RECORD, "username": ""},
        after_token_pair=USE_ACCESS_TOKEN,
    )
    def get(self, request: Request) -> Response:
        return Response(MeOutput(_caller(request)).data)

    @operation(
        "replace_me",
        "Set your display name",
        MeInput,
        {200: MeOutput},
        request_example={"username": "John Smith"},
        response_example=RECORD,
        after_token_pair=USE_ACCESS_TOKEN,
    )
    def put(self, request: Request) -> Response:
        return Response(MeOutput(_caller(request).set_display_name(**self.validated(request))).data)

    @operation(
        "update_me",
        "Change your display name",
        MeInput,
        {200: MeOutput},
        request_example={"username": "John Smith"},
        response_example=RECORD,
        after_token_pair=USE_ACCESS_TOKEN,
    )
    def patch(self, request: Request) -> Response:
        changes = self.validated(request, partial=True)
        return Response(MeOutput(_caller(request).set_display_name(**changes) if changes else _caller(request)).data)

    @operation(
        "leave",
        "Delete your account",
        DeleteAccountInput,
        {204: None},
        request_example={"password": "password"},
        problems=[
            errors.WrongPassword,
            errors.PasswordTooLong,
            errors.LastSuperuser,
            errors.TooManyAttempts,
        ],
    )
    def delete(self, request: Request) -> Response:
        delete_account(
            access_token_of(request).user_id,
            **self.validated(request, DeleteAccountInput),
            client=client_info(request.META),
        )
        return Response(status=204)


class EmailStatusView(ApiView):
    """Your e-mail address, and whether you have confirmed it. POST /api/email/verify/resend/ sends the mail again."""

    @operation(
        "read_email_status",
        "Read whether your e-mail address is confirmed",
        None,
        {200: EmailStatusOutput},
        response_example={"email": "user@example.com", "email_verified": False},
        after_token_pair=USE_ACCESS_TOKEN,
    )
    def get(self, request: Request) -> Response:
        return Response(EmailStatusOutput(_caller(request)).data)


class FactorsView(ApiView):
    """Your second factors: the authenticator app, passkeys, and how many recovery codes are left; no secrets."""

    @operation(
        "list_factors",
        "List your second factors",
        None,
        {200: FactorsOutput},
        response_example={
            "totp": {"confirmed_at": "2026-11-23T08:00:00.000000Z", "last_used_at": None},
            "passkeys": [PASSKEY],
            "recovery_codes": 10,
        },
        problems=[errors.InvalidInput],
        after_token_pair=USE_ACCESS_TOKEN,
        links={"remove_totp": USE_ACCESS_TOKEN, "renew_recovery_codes": USE_ACCESS_TOKEN},
    )
    def get(self, request: Request) -> Response:
        parse_query(request, {})
        return Response(FactorsOutput(list_factors(access_token_of(request).user_id)).data)


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
    "second_factors": 0,
    "claims": None,
}
SECTIONS = (
    *("roles", "sessions", "events", "mails", "codes", "totp", "passkeys", "recovery_codes", "tickets"),
    *("attempts", "actions", "changes"),
)


class ExportView(ApiView):
    """All personal data about you, except secrets, as one JSON file."""

    @operation(
        "export",
        "Export your data",
        None,
        {200: ExportOutput},
        response_example={"account": ACCOUNT, **{kind: [] for kind in SECTIONS}},
        problems=[errors.InvalidInput],
        response_headers={"Content-Disposition": "attachment, with a file name"},
        after_token_pair=USE_ACCESS_TOKEN,
    )
    def get(self, request: Request) -> Response:
        parse_query(request, {})
        data, is_page = export(access_token_of(request).user_id), request.accepted_renderer.format == "api"
        headers = {} if is_page else {"Content-Disposition": 'attachment; filename="latchkey-export.json"'}
        return Response(ExportOutput(data).data, headers=headers)


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


class EventsView(ApiView):
    """The security history of your account: events, newest first, 100 per page. 'next' is the URL of the next page."""

    @operation(
        "list_events",
        "List your account's events",
        None,
        {200: HistoryOutput},
        response_example={"events": [EVENT], "next": None},
        problems=[errors.InvalidInput],
        parameters=[
            OpenApiParameter(
                "before",
                str,
                description="List events older than the one with this id.",
                pattern=f"^{BEFORE.pattern}$",
            )
        ],
        after_token_pair=USE_ACCESS_TOKEN,
    )
    def get(self, request: Request) -> Response:
        before = parse_query(request, {"before": BEFORE}).get("before")
        events, older = list_events(access_token_of(request).user_id, int(before) if before else None)
        following = older and f"{reverse('me/events', request=request)}?before={older}"
        return Response(HistoryOutput({"events": events, "next": following}).data)
