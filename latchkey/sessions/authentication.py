"""Who sent this request: the access token of a session that is still live."""

from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from latchkey.accounts.models import User
from latchkey.sessions.access_tokens import authenticate
from latchkey.sessions.models import Session
from latchkey.tokens.access_token import AccessToken


def bearer_token(environ: Mapping[str, str]) -> str | None:
    """Return the bearer token of a request (RFC 6750 section 2.1), None where it has none."""
    scheme, _, presented = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return presented.strip(" ") if scheme.lower() == "bearer" else None


def access_token_of(request: Request) -> AccessToken:
    """Return the access token of a request that is past the door."""
    return cast("AccessToken", request.auth)


class SessionAuthentication(BaseAuthentication):
    """Bearer tokens, each bound to its session."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        """Return the user and the token, None without a bearer token; raises InvalidToken."""
        presented = bearer_token(request.META)
        if presented is None:
            return None
        token, bearer = authenticate(presented)
        user = User.from_db(Session.objects.db, (*bearer._fields, "is_active"), (*bearer, True))
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its hook has no types
    """How the OpenAPI document describes it; Swagger's Authorize button follows from this."""

    target_class = SessionAuthentication
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access_token that login and refresh answer, without the word Bearer.",
        }
