"""Who sent this request: the access token of a session that is still live."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from latchkey.accounts.models import User
from latchkey.core import clock
from latchkey.core.errors import InvalidToken
from latchkey.sessions.models import Session
from latchkey.tokens import access_token


class SessionAuthentication(BaseAuthentication):
    """Bearer tokens (RFC 6750 section 2.1), each bound to its session.

    One SELECT joins session and user, so that sign-out, deactivation and a new password act at the next
    request and not when the token expires.
    """

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        """Return the user and the session, None without a bearer token; raises InvalidToken."""
        scheme, _, presented = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = clock.now()
        token = access_token.verify(presented.strip(" "), now)
        session = Session.objects.live(now).select_related("user").filter(pk=token.session_id).first()
        if session is None or session.user_id != token.user_id:
            raise InvalidToken
        return session.user, session

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
