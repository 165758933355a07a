"""What endpoints of users share: who may call them, the errors that they document, and the user of the path."""

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from latchkey.accounts.models import User
from latchkey.authorization.models import READ_USERS, WRITE_USERS
from latchkey.bearer_tokens.authentication import principal_of
from latchkey.core import exceptions as errors
from latchkey.users_api.targets import ID, find_target, find_user, parse_user_id, require_step_up
from latchkey.web.access import Access, scoped
from latchkey.web.api_view import ApiView

READ = scoped(READ_USERS)
WRITE = scoped(WRITE_USERS, step_up=True)
READ_ERRORS: list[type[errors.ApiError]] = [errors.InsufficientScope, errors.InvalidInput]
USER_READ_ERRORS: list[type[errors.ApiError]] = [*READ_ERRORS, errors.NotFound]
WRITE_ERRORS: list[type[errors.ApiError]] = [*USER_READ_ERRORS, errors.StepUpRequired]


def named_in_path(name: str, pattern: str, description: str) -> OpenApiParameter:
    """Return the description of a parameter of the path for the OpenAPI document."""
    return OpenApiParameter(name, str, OpenApiParameter.PATH, description=description, pattern=f"^({pattern})$")


USER_ID = named_in_path("user_id", ID.pattern, "The id of a user, from GET /api/users/.")


class UserResourceView(ApiView):
    """An endpoint of one user: GET needs the scope users:read, every change users:write.

    A person's session also needs a recent authentication for a change. Applications and API keys prove themselves by
    their secret.
    """

    access: ClassVar[Access | Mapping[str, Access]] = {"GET": READ, "PUT": WRITE, "POST": WRITE, "DELETE": WRITE}

    def user_to_read(self, user_id: str) -> User:
        """Return the user of the path; raises NotFound."""
        return find_user(parse_user_id(user_id))

    def user_to_change(self, request: Request, user_id: str) -> User:
        """Return the user of the path, whom the caller may change; raises StepUpRequired and what find_target does."""
        caller = principal_of(request)
        require_step_up(caller)
        return find_target(parse_user_id(user_id), caller)
