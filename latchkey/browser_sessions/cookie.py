"""The refresh token of a browser session, in an HttpOnly cookie that no script can read (RFC 6265bis).

Its attributes: `HttpOnly`; `SameSite=Strict`, so that no request of another site has it; `Secure` and the prefix
`__Host-` in production, so that no other subdomain can set it; the path '/', which the prefix requires.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings

from latchkey.core.exceptions import InvalidInput, InvalidRefreshToken
from latchkey.tokens.refresh_token import UUID_PATTERN

SENT_TWICE = "The browser sent two cookies of this name. Sign out, delete them, and sign in again."


def read_cookies(meta: Mapping[str, Any]) -> list[UUID]:
    """Return the refresh tokens in the cookies of a request: none, one, or more where another path or domain set one.

    meta has the headers as WSGI names them. A value that is no UUID counts as no cookie.
    """
    pairs = (part.partition("=") for part in meta.get("HTTP_COOKIE", "").split(";"))
    values = [value.strip() for name, _, value in pairs if name.strip() == settings.REFRESH_COOKIE_NAME]
    return [UUID(value) for value in values if UUID_PATTERN.fullmatch(value)]


def read_cookie(meta: Mapping[str, Any]) -> UUID:
    """Return the refresh token in the cookie of a request.

    Raises InvalidRefreshToken without one; and InvalidInput for two, as nobody can tell which of them is ours (cookie
    tossing; RFC 6265bis section 8.6).
    """
    tokens = read_cookies(meta)
    if len(tokens) > 1:
        raise InvalidInput({settings.REFRESH_COOKIE_NAME: [SENT_TWICE]})
    if not tokens:
        raise InvalidRefreshToken
    return tokens[0]


def cookie_header(refresh_token: UUID, max_age: int) -> str:
    """Return the value of Set-Cookie that stores a refresh token for max_age seconds."""
    return _header(str(refresh_token), max_age)


def expired_cookie_header() -> str:
    """Return the value of Set-Cookie that deletes the cookie."""
    return _header("", 0)


def _header(value: str, max_age: int) -> str:
    secure = "; Secure" if settings.SESSION_COOKIE_SECURE else ""
    return f"{settings.REFRESH_COOKIE_NAME}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Strict{secure}"
