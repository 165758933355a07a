"""Bearer authentication for Django REST Framework: access tokens of people and of applications, and API keys."""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from latchkey.accounts.models import User
from latchkey.audit.log import Operator
from latchkey.bearer_tokens.principal import Principal
from latchkey.bearer_tokens.validation import validate
from latchkey.core.client import client_info
from latchkey.sessions.authentication import bearer_token
from latchkey.sessions.models import Session
from latchkey.tokens.access_token import AUDIENCE


@dataclass(frozen=True, slots=True)
class ApplicationCaller:
    """An application: `request.user` of a request with a token or a key of an application."""

    principal: Principal
    is_authenticated: ClassVar[bool] = True
    pk: ClassVar[None] = None


def principal_of(request: Request) -> Principal:
    """Return whom an authenticated request comes from."""
    return cast("Principal", request.user.principal)  # type: ignore[union-attr]  # set by BearerAuthentication


def operator_of(request: Request) -> Operator:
    """Return who makes the change of an authenticated request, as the audit log stores it."""
    principal = principal_of(request)
    return Operator(principal.user.id if principal.user else None, client_info(request.META), principal.client_id)


class BearerAuthentication(BaseAuthentication):
    """Authentication by a bearer token of any kind. `access` of the view says which kinds it takes.

    audience is what the token of an application has to name, None for any: then the view looks at it.
    """

    def __init__(self, audience: str | None = AUDIENCE) -> None:
        self.audience = audience

    def authenticate(self, request: Request) -> tuple[User | ApplicationCaller, Any] | None:
        """Return the caller and the token or the key, None without one; raises InvalidToken or TooManyAttempts."""
        presented = bearer_token(request.META)
        if presented is None:
            return None
        principal = validate(presented, client_info(request.META), self.audience)
        if principal.user is None:
            return ApplicationCaller(principal), principal.token or principal.key
        columns = ("id", "email", "username", "is_active")
        person = principal.user
        caller = User.from_db(Session.objects.db, columns, (person.id, person.email, person.username, True))
        caller.has_verified_email = bool(person.email_verified)
        caller.authentication, caller.principal = principal.authentication, principal
        return caller, principal.token or principal.key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its hook has no types
    """The OpenAPI security scheme of bearer tokens; Swagger UI shows it behind its Authorize button."""

    target_class = BearerAuthentication
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of a sign-in, a refresh or /oauth/token/, or an API key, without 'Bearer'.",
        }
