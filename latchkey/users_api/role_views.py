"""Endpoints of roles and custom claims of users, for back ends."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.authorization.custom_claims import set_claims
from latchkey.authorization.models import NAME
from latchkey.bearer_tokens.authentication import operator_of, principal_of
from latchkey.core import exceptions as errors
from latchkey.users_api import roles
from latchkey.users_api.base_view import (
    READ_ERRORS,
    USER_ID,
    USER_READ_ERRORS,
    WRITE_ERRORS,
    UserResourceView,
    named_in_path,
)
from latchkey.users_api.resource_serializers import RoleOutput
from latchkey.web.openapi.operation import operation
from latchkey.web.query import parse_query

ROLE = {"name": "editor", "description": "Writes and publishes articles.", "scopes": ["articles:write"]}
ROLE_NAME = named_in_path("role", NAME.pattern, "The name of a role, from GET /api/roles/.")
CLAIMS = {"plan": "pro", "seats": 5}


class RolesView(UserResourceView):
    """All roles, sorted by name. They are created in the admin area and by `latchkey roles`."""

    @operation(
        "list_roles",
        "List all roles",
        None,
        {200: RoleOutput(many=True)},
        response_example=[ROLE],
        problems=READ_ERRORS,
    )
    def get(self, request: Request) -> Response:
        parse_query(request, {})
        return Response(RoleOutput(roles.list_roles(), many=True).data)


class UserRolesView(UserResourceView):
    """The roles of a user, sorted by name."""

    @operation(
        "list_user_roles",
        "List the roles of a user",
        None,
        {200: RoleOutput(many=True)},
        response_example=[ROLE],
        problems=USER_READ_ERRORS,
        parameters=[USER_ID],
    )
    def get(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        return Response(RoleOutput(roles.list_roles_of(self.user_to_read(user_id)), many=True).data)


class UserRoleView(UserResourceView):
    """One role of a user: PUT grants it, DELETE revokes it. Both may be repeated.

    The change is in force at the next request here, at verify and at introspection, and in access tokens with the next
    refresh. Nobody gives more than it has: the caller needs every scope of a role that it grants.
    """

    @operation(
        "grant_user_role",
        "Grant a role to a user",
        None,
        {204: None},
        problems=WRITE_ERRORS,
        parameters=[USER_ID, ROLE_NAME],
    )
    def put(self, request: Request, user_id: str, role: str) -> Response:
        parse_query(request, {})
        user, found = self.user_to_change(request, user_id), roles.find_role(role)
        roles.grant(user, found, principal_of(request), operator_of(request))
        return Response(status=204)

    @operation(
        "revoke_user_role",
        "Revoke a role of a user",
        None,
        {204: None},
        problems=WRITE_ERRORS,
        parameters=[USER_ID, ROLE_NAME],
    )
    def delete(self, request: Request, user_id: str, role: str) -> Response:
        parse_query(request, {})
        user, found = self.user_to_change(request, user_id), roles.find_role(role)
        roles.revoke(user, found, operator_of(request))
        return Response(status=204)


class UserClaimsView(UserResourceView):
    """The custom claims of a user: one JSON object, the claim `claims` of the user's access tokens.

    PUT replaces the whole object; {} removes it. It has at most 1,024 bytes as JSON, where letters that are not ASCII
    take six bytes each.
    """

    @operation(
        "read_user_claims",
        "Read the custom claims of a user",
        None,
        {200: OpenApiTypes.OBJECT},
        response_example=CLAIMS,
        problems=USER_READ_ERRORS,
        parameters=[USER_ID],
    )
    def get(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        return Response(self.user_to_read(user_id).claims or {})

    @operation(
        "replace_user_claims",
        "Replace the custom claims of a user",
        OpenApiTypes.OBJECT,
        {200: OpenApiTypes.OBJECT},
        request_example=CLAIMS,
        response_example=CLAIMS,
        problems=WRITE_ERRORS,
        parameters=[USER_ID],
    )
    def put(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        user, claims = self.user_to_change(request, user_id), _object_of(request)
        try:
            set_claims(user.pk, claims, operator_of(request))
        except ValueError as error:
            raise errors.InvalidInput({"claims": [str(error)]}) from error
        return Response(claims)


def _object_of(request: Request) -> dict[str, Any]:
    """Return the JSON object of the body; raises ParseError without a body, which must not remove all claims."""
    if request.META.get("CONTENT_LENGTH", "0") in ("", "0"):
        raise errors.ParseError
    return dict(request.data)
