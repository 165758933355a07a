"""The endpoints that clients call all day, on the short way (latchkey/web/short_way.py)."""

from typing import Any, TypeGuard
from uuid import UUID

from django.conf import settings

from latchkey.accounts.email import LENGTH_LIMIT
from latchkey.accounts.passwords import LENGTH_LIMIT as PASSWORD_LENGTH_LIMIT
from latchkey.core.client import client_of
from latchkey.sessions.authentication import presented_in
from latchkey.sessions.login import login
from latchkey.sessions.pair import TokenPair
from latchkey.sessions.refresh import refresh
from latchkey.sessions.verify import verify
from latchkey.web.fields import is_uuid
from latchkey.web.ready_headers import Headers
from latchkey.web.short_way import Environ, PlainView, object_sent


def _headers(allowed: str) -> Headers:
    negotiated = (("Vary", "Accept"),) if settings.BROWSABLE_API else ()
    return (("Allow", allowed), ("Cache-Control", "no-store"), *negotiated)  # no-store: RFC 6749 section 5.1


def credentials_sent(environ: Environ) -> tuple[str, str] | None:
    body = object_sent(environ)
    email, password = body.get("email"), body.get("password")
    if _is_usual(email, LENGTH_LIMIT) and _is_usual(password, PASSWORD_LENGTH_LIMIT):
        return email.strip(), password
    return None


def _is_usual(text: Any, longest: int) -> TypeGuard[str]:
    """Tell whether nobody could object to this text: printable, not blank, not too long."""
    return isinstance(text, str) and text.isprintable() and bool(text.strip()) and len(text) <= longest


def sign_in(credentials: tuple[str, str], environ: Environ) -> dict[str, Any]:
    """Do as LoginView does."""
    return _pair(login(*credentials, client_of(environ)))


def token_sent(environ: Environ) -> str | None:
    presented = object_sent(environ).get("refresh_token")
    return presented if is_uuid(presented) else None


def spend(presented: str, environ: Environ) -> dict[str, Any]:
    """Do as RefreshView does."""
    return _pair(refresh(UUID(presented), client_of(environ)))


def _pair(pair: TokenPair) -> dict[str, Any]:
    return {"access_token": pair.access_token, "refresh_token": str(pair.refresh_token)}


def read_me(presented: str, environ: Environ) -> dict[str, Any]:
    """Do as MeView does when it is read."""
    _, bearer = verify(presented)
    return {"id": bearer.id, "username": bearer.username, "email": bearer.email}


LOGIN = PlainView(credentials_sent, sign_in, _headers("POST, OPTIONS"))
REFRESH = PlainView(token_sent, spend, _headers("POST, OPTIONS"))
ME = PlainView(presented_in, read_me, _headers("GET, PUT, PATCH, DELETE, HEAD, OPTIONS"))
