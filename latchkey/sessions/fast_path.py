"""The endpoints that clients call all day, on the short way (latchkey/web/fast_path/application.py)."""

from typing import Any, TypeGuard
from uuid import UUID

from django.conf import settings

from latchkey.accounts.email import LENGTH_LIMIT
from latchkey.accounts.password_validation import LENGTH_LIMIT as PASSWORD_LENGTH_LIMIT
from latchkey.conf.policy import held
from latchkey.core import clock
from latchkey.core.client import client_of
from latchkey.db.prepared import Question
from latchkey.sessions import access_tokens as verify
from latchkey.sessions import refresh
from latchkey.sessions.authentication import presented_in
from latchkey.sessions.issue import TokenPair
from latchkey.sessions.login import login
from latchkey.sessions.sql import Bearer
from latchkey.signing_keys import key_set as ring
from latchkey.tokens.access_token import AccessToken
from latchkey.web.fast_path.handler import Environ, Halves, PlainView, Rows, object_sent
from latchkey.web.fast_path.response_headers import Headers
from latchkey.web.fields import is_uuid


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
    return _pair(refresh.refresh(UUID(presented), client_of(environ)))


def begin_to_spend(presented: str) -> tuple[refresh.Spending, Question] | None:
    now, policy, keys = clock.now(), held(), ring.held()
    if policy is None or keys is None or settings.SIGNING_ALGORITHM == "RS256":  # which signs for a millisecond
        return None
    return refresh.begin(UUID(presented), now, policy, ring.signing_key(now, keys))


def end_spending(spending: refresh.Spending, rows: Rows, environ: Environ) -> dict[str, Any]:
    return _pair(refresh.end(spending, rows, client_of(environ)))


def _pair(pair: TokenPair) -> dict[str, Any]:
    return {"access_token": pair.access_token, "refresh_token": str(pair.refresh_token)}


def read_me(presented: str, environ: Environ) -> dict[str, Any]:
    """Do as MeView does when it is read."""
    return _record(verify.verify(presented)[1])


def begin_to_verify(presented: str) -> tuple[AccessToken, Question] | None:
    keys = ring.held()
    return None if keys is None else verify.begin(presented, lambda kid: keys[kid].key if kid in keys else None)


def end_reading_me(token: AccessToken, rows: Rows, environ: Environ) -> dict[str, Any]:
    return _record(verify.end(token, rows))


def _record(bearer: Bearer) -> dict[str, Any]:
    return {"id": bearer.id, "username": bearer.username, "email": bearer.email}


LOGIN = PlainView(credentials_sent, sign_in, _headers("POST, OPTIONS"))
REFRESH = PlainView(token_sent, spend, _headers("POST, OPTIONS"), halves=Halves(begin_to_spend, end_spending))
ME = PlainView(
    presented_in,
    read_me,
    _headers("GET, PUT, PATCH, DELETE, HEAD, OPTIONS"),
    halves=Halves(begin_to_verify, end_reading_me),
)
