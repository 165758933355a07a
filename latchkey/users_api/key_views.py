"""Endpoints of the API keys of a user, for back ends: list them, revoke one."""

from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.api_keys.manage import list_keys, revoke_keys
from latchkey.api_keys.models import ApiKey
from latchkey.api_keys.serializers import KeyOutput
from latchkey.api_keys.views import ID, KEY
from latchkey.bearer_tokens.authentication import operator_of
from latchkey.core import exceptions as errors
from latchkey.users_api.base_view import USER_ID, USER_READ_ERRORS, WRITE_ERRORS, UserResourceView, named_in_path
from latchkey.web.openapi.operation import operation
from latchkey.web.query import parse_query

KEY_ID = named_in_path("key_id", ID.pattern, "The id of a key, from GET /api/users/<user_id>/keys/.")


class UserKeysView(UserResourceView):
    """The API keys of a user, the newest first, without the keys themselves."""

    @operation(
        "list_user_keys",
        "List the API keys of a user",
        None,
        {200: KeyOutput(many=True)},
        response_example=[KEY],
        problems=USER_READ_ERRORS,
        parameters=[USER_ID],
        links={"revoke_user_key": {"parameters": {"key_id": "$response.body#/0/id"}}},
    )
    def get(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        return Response(KeyOutput(list_keys(self.user_to_read(user_id).pk), many=True).data)


class UserKeyView(UserResourceView):
    """Revoke an API key of a user. It is refused from the next request on."""

    @operation(
        "revoke_user_key",
        "Revoke an API key of a user",
        None,
        {204: None},
        problems=WRITE_ERRORS,
        parameters=[USER_ID, KEY_ID],
    )
    def delete(self, request: Request, user_id: str, key_id: str) -> Response:
        parse_query(request, {})
        user = self.user_to_change(request, user_id)
        if not ID.fullmatch(key_id) or not revoke_keys(
            ApiKey.objects.filter(user=user.pk, key_id=key_id), operator_of(request)
        ):
            raise errors.NotFound
        return Response(status=204)
