"""Bearer authentication for Django REST Framework: an access token whose session is live."""

from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from latchkey.accounts.models import User
from latchkey.sessions.access_tokens import authenticate_access_token
from latchkey.sessions.models import Session
from latchkey.tokens.access_token import AccessToken
from latchkey.tokens.authentication_methods import Authentication


def bearer_token(environ: Mapping[str, str]) -> str | None:
    """Return the bearer token of a request (RFC 6750 section 2.1), None without one."""
    scheme, _, presented = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return presented.strip(" ") if scheme.lower() == "bearer" else None


def access_token_of(request: Request) -> AccessToken:
    """Return the access token of an authenticated request."""
    return cast("AccessToken", request.auth)


def authentication_of(request: Request) -> Authentication:
    """Return what the session of an authenticated request has proved, and when."""
    return cast("User", request.user).authentication


class SessionAuthentication(BaseAuthentication):
    """Authentication by access tokens, each bound to its session."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        """Return the user and the token, None without a bearer token; raises InvalidToken."""
        presented = bearer_token(request.META)
        if presented is None:
            return None
        token, user = authenticate_access_token(presented)
        columns = ("id", "email", "username", "is_active")
        caller = User.from_db(Session.objects.db, columns, (user.id, user.email, user.username, True))
        caller.has_verified_email = bool(user.email_verified)
        caller.authentication = Authentication(user.proof, user.authenticated_at)
        return caller, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its hook has no types
    """The OpenAPI security scheme of access tokens; Swagger UI shows it behind its Authorize button."""

    target_class = SessionAuthentication
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access_token of a sign-in or a refresh, without the word Bearer.",
        }
