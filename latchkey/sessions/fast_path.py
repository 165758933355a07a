"""The endpoints that clients call all day, on the short way (latchkey/web/fast_path/application.py)."""

from typing import Any, TypeGuard
from uuid import UUID

from django.conf import settings

from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.accounts.password_validation import PASSWORD_MAX_LENGTH
from latchkey.conf.policy import cached_policy
from latchkey.core import clock
from latchkey.core.client import client_info
from latchkey.db.statements import Query
from latchkey.sessions import access_tokens as verify
from latchkey.sessions import refresh
from latchkey.sessions.authentication import bearer_token
from latchkey.sessions.login import login
from latchkey.sessions.sql import SessionUser
from latchkey.signing_keys import key_set as ring
from latchkey.tokens.access_token import AccessToken, TokenPair
from latchkey.web.fast_path import AsyncSteps, Environ, FastHandler, Headers, Rows, read_json_object
from latchkey.web.input import is_canonical_uuid


def _headers(allowed: str) -> Headers:
    negotiated = (("Vary", "Accept"),) if settings.BROWSABLE_API else ()
    return (("Allow", allowed), ("Cache-Control", "no-store"), *negotiated)  # no-store: RFC 6749 section 5.1


def parse_login(environ: Environ) -> tuple[str, str] | None:
    body = read_json_object(environ)
    email, password = body.get("email"), body.get("password")
    if _is_plain(email, EMAIL_MAX_LENGTH) and _is_plain(password, PASSWORD_MAX_LENGTH):
        return email.strip(), password
    return None


def _is_plain(text: Any, longest: int) -> TypeGuard[str]:
    """Tell whether nobody could object to this text: printable, not blank, not too long."""
    return isinstance(text, str) and text.isprintable() and bool(text.strip()) and len(text) <= longest


def handle_login(credentials: tuple[str, str], environ: Environ) -> dict[str, Any]:
    """Do as LoginView does."""
    return pair_body(login(*credentials, client_info(environ)))


def parse_refresh(environ: Environ) -> str | None:
    presented = read_json_object(environ).get("refresh_token")
    return presented if is_canonical_uuid(presented) else None


def handle_refresh(presented: str, environ: Environ) -> dict[str, Any]:
    """Do as RefreshView does."""
    return pair_body(refresh.refresh(UUID(presented), client_info(environ)))


def prepare_refresh(presented: str) -> tuple[refresh.Rotation, Query] | None:
    now, policy, keys = clock.now(), cached_policy(), ring.cached_keys()
    if policy is None or keys is None or settings.SIGNING_ALGORITHM == "RS256":  # which signs for a millisecond
        return None
    return refresh.prepare(UUID(presented), now, policy, ring.signing_key(now, keys))


def finish_refresh(spending: refresh.Rotation, rows: Rows, environ: Environ) -> dict[str, Any]:
    return pair_body(refresh.finish(spending, rows, client_info(environ)))


def pair_body(pair: TokenPair) -> dict[str, Any]:
    return {"access_token": pair.access_token, "refresh_token": str(pair.refresh_token)}


def handle_me(presented: str, environ: Environ) -> dict[str, Any]:
    """Do as MeView does when it is read."""
    return me_body(verify.authenticate(presented)[1])


def prepare_verify(presented: str) -> tuple[AccessToken, Query] | None:
    keys = ring.cached_keys()
    return None if keys is None else verify.prepare(presented, lambda kid: keys[kid].key if kid in keys else None)


def finish_me(token: AccessToken, rows: Rows, environ: Environ) -> dict[str, Any]:
    return me_body(verify.finish(token, rows))


def me_body(bearer: SessionUser) -> dict[str, Any]:
    return {"id": bearer.id, "username": bearer.username, "email": bearer.email}


LOGIN = FastHandler(parse_login, handle_login, _headers("POST, OPTIONS"))
REFRESH = FastHandler(
    parse_refresh, handle_refresh, _headers("POST, OPTIONS"), async_steps=AsyncSteps(prepare_refresh, finish_refresh)
)
ME = FastHandler(
    bearer_token,
    handle_me,
    _headers("GET, PUT, PATCH, DELETE, HEAD, OPTIONS"),
    async_steps=AsyncSteps(prepare_verify, finish_me),
)
