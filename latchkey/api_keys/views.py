"""Endpoints of one's own API keys: list them, create one, revoke one. A key itself opens none of them."""

import re

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.api_keys.manage import KeySpec, create_key, default_days, list_keys, revoke_key
from latchkey.api_keys.serializers import CreatedKeyOutput, CreateKeyInput, KeyOutput
from latchkey.core import exceptions as errors
from latchkey.core.client import client_info
from latchkey.sessions.authentication import access_token_of, authentication_of
from latchkey.web.access import PERSON, PERSON_STEP_UP
from latchkey.web.api_view import ApiView
from latchkey.web.openapi.operation import USE_ACCESS_TOKEN, operation
from latchkey.web.query import parse_query

KEY = {
    "id": "8fK2xQ",
    "name": "Nightly backup",
    "scopes": ["users:read"],
    "created_at": "2026-11-23T08:00:00.000000Z",
    "expires_at": "2027-02-21T08:00:00.000000Z",
    "last_used_at": None,
}
NEW_KEY = KEY | {"key": "latchkey_p8fK2xQ3rTnV0bYw7LmZcD1sGhJk4PqXu6AeFiRo9WtNy2BvC5EXAMPL"}
ID = re.compile("[0-9A-Za-z]{6}")
KEY_ID = OpenApiParameter(
    "key_id",
    str,
    OpenApiParameter.PATH,
    description="The id of a key, from GET /api/me/keys/.",
    pattern=f"^{ID.pattern}$",
)


class KeysView(ApiView):
    """Your API keys: GET lists them, the newest first, POST creates one. POST needs a recent authentication.

    The key is in the answer of POST alone. An Idempotency-Key is not looked at, as the key is stored nowhere and cannot
    be shown again: where the answer is lost, a second request creates another key, and you revoke the first.
    """

    access = {"GET": PERSON, "POST": PERSON_STEP_UP}
    input_class = CreateKeyInput

    @operation(
        "list_api_keys",
        "List your API keys",
        None,
        {200: KeyOutput(many=True)},
        response_example=KEY,
        problems=[errors.InvalidInput],
        after_token_pair=USE_ACCESS_TOKEN,
        links={"revoke_api_key": {"parameters": {"key_id": "$response.body#/0/id"}, **USE_ACCESS_TOKEN}},
    )
    def get(self, request: Request) -> Response:
        parse_query(request, {})
        return Response(KeyOutput(list_keys(access_token_of(request).user_id), many=True).data)

    @operation(
        "create_api_key",
        "Create an API key",
        CreateKeyInput,
        {201: CreatedKeyOutput},
        request_example={"name": KEY["name"], "scopes": KEY["scopes"], "expires_in_days": 90},
        response_example=NEW_KEY,
        problems=[errors.StepUpRequired, errors.EmailNotVerified],
        after_token_pair=USE_ACCESS_TOKEN,
        links={"revoke_api_key": {"parameters": {"key_id": "$response.body#/id"}, **USE_ACCESS_TOKEN}},
    )
    def post(self, request: Request) -> Response:
        given = self.validated(request)
        days = given["expires_in_days"] if "expires_in_days" in given else default_days()
        created = create_key(
            access_token_of(request).user_id,
            authentication_of(request),
            KeySpec(given["name"], given["scopes"], days),
            client_info(request.META),
        )
        return Response(CreatedKeyOutput(created).data, status=201)


class KeyView(ApiView):
    """Revoke one of your API keys, at once and for good. Needs a recent authentication."""

    access = PERSON_STEP_UP

    @operation(
        "revoke_api_key",
        "Revoke an API key",
        None,
        {204: None},
        problems=[errors.StepUpRequired, errors.InvalidInput, errors.NotFound],
        parameters=[KEY_ID],
    )
    def delete(self, request: Request, key_id: str) -> Response:
        parse_query(request, {})
        if not ID.fullmatch(key_id):
            raise errors.NotFound
        revoke_key(access_token_of(request).user_id, authentication_of(request), key_id, client_info(request.META))
        return Response(status=204)
