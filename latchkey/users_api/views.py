"""Endpoints of users for back ends: list, create, read, change, delete."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from latchkey.bearer_tokens.authentication import operator_of, principal_of
from latchkey.core import exceptions as errors
from latchkey.idempotency.stored_keys import KeyedRequest
from latchkey.users_api.base_view import READ, READ_ERRORS, USER_ID, USER_READ_ERRORS, WRITE, WRITE_ERRORS
from latchkey.users_api.change import Changes, change_user, delete_user
from latchkey.users_api.create import NewUser, create_user
from latchkey.users_api.filters import FORMS, parse_filters, parse_limit
from latchkey.users_api.listing import DEFAULT_PAGE, MAX_PAGE, State, list_users
from latchkey.users_api.serializers import USER, ChangeUserInput, CreateUserInput, UserOutput, UsersOutput
from latchkey.users_api.targets import find_user, parse_user_id, require_step_up
from latchkey.web.api_view import ApiView
from latchkey.web.input import read_idempotency_key
from latchkey.web.openapi.operation import operation
from latchkey.web.query import parse_query

CREATE_USER = "create_user"
REPLAYED = "Idempotent-Replayed"
"""Header of the answer to a retry (as of many APIs; the draft about the key names none)."""

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="16 to 64 printable characters, new for each user and the same in each retry within 24 hours.",
    pattern=r"^[!#-~][ -~]{14,62}[!-~]$",
)
FILTERS = [
    OpenApiParameter("email", str, description="The user with this e-mail address, in any spelling."),
    OpenApiParameter("role", str, description="Users who have this role.", pattern=f"^{FORMS['role'].pattern}$"),
    OpenApiParameter(
        "state",
        str,
        enum=list(State),
        description="Users who are active, or inactive, or whose e-mail address is not verified.",
    ),
    OpenApiParameter("created_after", OpenApiTypes.DATETIME, description="Users created at this time or later."),
    OpenApiParameter("created_before", OpenApiTypes.DATETIME, description="Users created before this time."),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
        description="How many users a page has at most.",
    ),
    OpenApiParameter(
        "cursor",
        str,
        description="`next` of the page before, with the same filters.",
        pattern=f"^{FORMS['cursor'].pattern}$",
    ),
]


class UsersView(ApiView):
    """Users: GET lists them in pages, the newest first; POST creates one.

    Filters apply together. A page with both `role` and `state` may have fewer users than `limit`, even none: go on
    until `next` is null. Send an `Idempotency-Key` with POST, so that a retry after a lost response creates no second
    user.
    """

    access = {"GET": READ, "POST": WRITE}
    hashes_password = frozenset({"POST"})
    input_class = CreateUserInput

    @operation(
        "list_users",
        "List users",
        None,
        {200: UsersOutput},
        response_example={"users": [USER], "next": "AAZEzSA4wAAAAAAAAAAAEe5hK7wX2d0Q0b0Yk3mB1fs"},
        problems=READ_ERRORS,
        parameters=FILTERS,
    )
    def get(self, request: Request) -> Response:
        given = parse_query(request, FORMS)
        page = list_users(parse_filters(given), parse_limit(given), given.get("cursor", ""))
        return Response(UsersOutput(page).data)

    @operation(
        CREATE_USER,
        "Create a user",
        CreateUserInput,
        {201: UserOutput},
        request_example={"email": "user@example.com", "roles": ["editor"], "invite": True},
        response_example={**USER, "email_verified": False, "username": "", "claims": {}},
        problems=[
            *WRITE_ERRORS,
            errors.EmailTaken,
            errors.PasswordTooShort,
            errors.PasswordTooLong,
            errors.PasswordTooCommon,
            errors.PasswordTooObvious,
            errors.IdempotencyKeyReused,
        ],
        parameters=[
            IDEMPOTENCY_KEY,
            OpenApiParameter(
                REPLAYED,
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="'true' where an earlier request with the same Idempotency-Key created the user.",
                response=[201],
            ),
        ],
        links={name: {"parameters": {"user_id": "$response.body#/id"}} for name in ("read_user", "delete_user")},
    )
    def post(self, request: Request) -> Response:
        principal, key = principal_of(request), read_idempotency_key(request.META)
        require_step_up(principal)
        new, keyed = NewUser(**self.validated(request)), None
        if key:
            keyed = KeyedRequest(principal.owner, CREATE_USER, key, dict(request.data))
        created = create_user(new, principal, operator_of(request), keyed)
        headers = {REPLAYED: "true" if created.is_replayed else "false"}
        return Response(UserOutput(created.user).data, status=201, headers=headers)


class UserView(ApiView):
    """A user: GET reads it, PATCH changes it, DELETE erases the account with its sessions and data.

    Staff, superusers, your own account, and users with scopes that you lack are not changed here: they are 403.
    """

    access = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}
    input_class = ChangeUserInput

    @operation(
        "read_user",
        "Read a user",
        None,
        {200: UserOutput},
        response_example=USER,
        problems=USER_READ_ERRORS,
        parameters=[USER_ID],
    )
    def get(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        return Response(UserOutput(find_user(parse_user_id(user_id))).data)

    @operation(
        "update_user",
        "Change a user",
        ChangeUserInput,
        {200: UserOutput},
        request_example={"active": False, "roles": ["editor"]},
        response_example={**USER, "active": False},
        problems=[*WRITE_ERRORS, errors.EmailTaken, errors.LastSuperuser],
        parameters=[USER_ID],
    )
    def patch(self, request: Request, user_id: str) -> Response:
        principal = principal_of(request)
        require_step_up(principal)
        changes = Changes(**self.validated(request))
        return Response(UserOutput(change_user(parse_user_id(user_id), changes, principal, operator_of(request))).data)

    @operation(
        "delete_user",
        "Delete a user",
        None,
        {204: None},
        problems=[*WRITE_ERRORS, errors.LastSuperuser],
        parameters=[USER_ID],
    )
    def delete(self, request: Request, user_id: str) -> Response:
        parse_query(request, {})
        principal = principal_of(request)
        require_step_up(principal)
        delete_user(parse_user_id(user_id), principal, operator_of(request))
        return Response(status=204)
