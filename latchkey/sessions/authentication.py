"""Bearer token of a request, and what the authentication of a signed-in person has left in the request."""

from collections.abc import Mapping
from typing import cast

from rest_framework.request import Request

from latchkey.accounts.models import User
from latchkey.tokens.access_token import AccessToken
from latchkey.tokens.authentication_methods import Authentication


def bearer_token(environ: Mapping[str, str]) -> str | None:
    """Return the bearer token of a request (RFC 6750 section 2.1), None without one."""
    scheme, _, presented = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return presented.strip(" ") if scheme.lower() == "bearer" else None


def access_token_of(request: Request) -> AccessToken:
    """Return the access token of a signed-in person's request."""
    return cast("AccessToken", request.auth)


def authentication_of(request: Request) -> Authentication:
    """Return what the session of a signed-in person has proved, and when."""
    return cast("User", request.user).authentication
