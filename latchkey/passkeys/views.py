"""Endpoints of one's own passkeys, and the well-known documents that bind domains and apps to them.

A well-known document is 404 while nothing is configured for it.
"""

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.conf.passkeys import related_origins
from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.passkeys.manage import (
    begin_registration,
    finish_registration,
    list_passkeys,
    remove_passkey,
    rename_passkey,
)
from latchkey.passkeys.serializers import (
    AddedPasskeyOutput,
    AddPasskeyInput,
    CeremonyOutput,
    PasskeyNameInput,
    PasskeyOutput,
)
from latchkey.sessions.authentication import access_token_of, authentication_of
from latchkey.web.access import PERSON_STEP_UP
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import USE_ACCESS_TOKEN, Link, operation
from latchkey.web.problems import problem_response
from latchkey.web.query import parse_query
from latchkey.web.views import require_safe

TICKET = "9Xh1c0kq4mE7Yy2f8sVb3tLzQw6RnDpUaJgKiOxCeT4"
CREDENTIAL_ID = "VkjWg6R9U-cfC5qK-ndZ9qIOTUVa1tmO5D2-A3NfsGo"
CLIENT_DATA = "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0"
NEW_PASSKEY = {
    "id": CREDENTIAL_ID,
    "rawId": CREDENTIAL_ID,
    "type": "public-key",
    "response": {
        "clientDataJSON": CLIENT_DATA,
        "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA",
        "transports": ["hybrid", "internal"],
    },
}
CREATION_OPTIONS = {
    "rp": {"id": "auth.example.com", "name": "Example"},
    "user": {"id": "c29tZSByYW5kb20gYnl0ZXM", "name": "user@example.com", "displayName": "John Smith"},
    "challenge": "bm90IGEgY2hhbGxlbmdlIG9mIGFueWJvZHk",
    "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    "timeout": 300000,
    "excludeCredentials": [],
    "authenticatorSelection": {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "preferred",
    },
    "attestation": "none",
}
PASSKEY = {
    "id": 17,
    "name": "Phone",
    "created_at": "2026-11-23T08:00:00.000000Z",
    "last_used_at": None,
    "backed_up": True,
    "replaces_password": True,
    "rp_id": "auth.example.com",
}
ID = re.compile("[1-9][0-9]{0,17}")
PASSKEY_ID = OpenApiParameter(
    "passkey_id",
    str,
    OpenApiParameter.PATH,
    description="The id of a passkey, from GET /api/me/passkeys/.",
    pattern=f"^{ID.pattern}$",
)

FIRST_PASSKEY: Link = {"parameters": {"passkey_id": "$response.body#/0/id"}, **USE_ACCESS_TOKEN}
MAX_AGE = 3_600
"""Seconds for which browsers and platforms may cache the documents."""

ANDROID_RELATIONS = ["delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"]
"""What Android's Credential Manager asks of a site before an app may use its passkeys and passwords."""


class PasskeyOptionsView(ApiView):
    """Options for a new passkey, which the browser passes on to an authenticator. Needs a recent authentication."""

    access = PERSON_STEP_UP

    @operation(
        "passkey_registration_options",
        "Add a passkey: options",
        None,
        {200: CeremonyOutput},
        response_example={"ticket": TICKET, "options": CREATION_OPTIONS, "expires_in": 300},
        problems=[
            errors.StepUpRequired,
            errors.EmailNotVerified,
            errors.EnrolmentClosed,
            errors.InvalidInput,
            errors.NotFound,
        ],
        after_token_pair=USE_ACCESS_TOKEN,
        links={"add_passkey": {"requestBody": {"ticket": "$response.body#/ticket"}, **USE_ACCESS_TOKEN}},
    )
    def post(self, request: Request) -> Response:
        begun = begin_registration(access_token_of(request).user_id, authentication_of(request))
        return Response(CeremonyOutput(begun).data)


class PasskeysView(ApiView):
    """Your passkeys: GET lists them, POST adds one with the ticket of its options, which ends your other sessions."""

    input_class = AddPasskeyInput

    @operation(
        "list_passkeys",
        "List your passkeys",
        None,
        {200: PasskeyOutput(many=True)},
        response_example=PASSKEY,
        problems=[errors.InvalidInput],
        after_token_pair=USE_ACCESS_TOKEN,
        links=dict.fromkeys(("rename_passkey", "remove_passkey"), FIRST_PASSKEY),
    )
    def get(self, request: Request) -> Response:
        parse_query(request, {})
        return Response(PasskeyOutput(list_passkeys(access_token_of(request).user_id), many=True).data)

    @operation(
        "add_passkey",
        "Add a passkey",
        AddPasskeyInput,
        {201: AddedPasskeyOutput},
        request_example={"ticket": TICKET, "name": "Phone", "passkey": NEW_PASSKEY},
        response_example={"passkey": PASSKEY, "recovery_codes": ["7KQ2M-9XW4C"]},
        problems=[errors.InvalidTicket, errors.InvalidPasskey],
    )
    def post(self, request: Request) -> Response:
        given, token = self.validated(request), access_token_of(request)
        added = finish_registration(
            token.user_id,
            token.session_id,
            given["ticket"],
            given["passkey"],
            given["name"],
            client_info(request.META),
        )
        return Response(AddedPasskeyOutput(added).data, status=201)


class PasskeyView(ApiView):
    """One of your passkeys: PATCH renames it, DELETE removes it and ends your other sessions.

    DELETE needs a recent authentication, and removes the recovery codes with the last second factor.
    """

    access = {"DELETE": PERSON_STEP_UP}
    input_class = PasskeyNameInput

    @operation(
        "rename_passkey",
        "Rename a passkey",
        PasskeyNameInput,
        {200: PasskeyOutput},
        request_example={"name": "Phone"},
        response_example=PASSKEY,
        problems=[errors.NotFound],
        parameters=[PASSKEY_ID],
    )
    def patch(self, request: Request, passkey_id: str) -> Response:
        renamed = rename_passkey(
            access_token_of(request).user_id, _parse_passkey_id(passkey_id), **self.validated(request, partial=True)
        )
        return Response(PasskeyOutput(renamed).data)

    @operation(
        "remove_passkey",
        "Remove a passkey",
        None,
        {204: None},
        problems=[errors.StepUpRequired, errors.NotFound],
        parameters=[PASSKEY_ID],
    )
    def delete(self, request: Request, passkey_id: str) -> Response:
        token = access_token_of(request)
        remove_passkey(
            token.user_id,
            token.session_id,
            authentication_of(request),
            _parse_passkey_id(passkey_id),
            client_info(request.META),
        )
        return Response(status=204)


def _parse_passkey_id(text: str) -> int:
    """Return the id as a number; raises NotFound for a text that is not the id of any passkey."""
    if not ID.fullmatch(text):
        raise errors.NotFound
    return int(text)


@require_safe
@conditional_page
def webauthn_origins(request: HttpRequest) -> HttpResponse:
    """Return the origins on other domains that may use the passkeys (WebAuthn Level 3 section 5.11)."""
    origins = related_origins(settings.PASSKEY_RP_ID, settings.PASSKEY_ORIGINS)
    return _document({"origins": origins} if origins else None)


@require_safe
@conditional_page
def asset_links(request: HttpRequest) -> HttpResponse:
    """Return the Android apps that share the passkeys (Digital Asset Links)."""
    links = [
        {
            "relation": ANDROID_RELATIONS,
            "target": {
                "namespace": "android_app",
                "package_name": app.package,
                "sha256_cert_fingerprints": [app.fingerprint],
            },
        }
        for app in settings.ANDROID_APPS
    ]
    return _document(links or None)


@require_safe
@conditional_page
def apple_app_site_association(request: HttpRequest) -> HttpResponse:
    """Return the apps on Apple's systems that share the passkeys (associated domains, service `webcredentials`)."""
    return _document({"webcredentials": {"apps": settings.IOS_APPS}} if settings.IOS_APPS else None)


def _document(document: Any) -> HttpResponse:
    if document is None:
        return problem_response(errors.NotFound())
    return JsonResponse(document, safe=False, headers={"Cache-Control": f"public, max-age={MAX_AGE}"})
