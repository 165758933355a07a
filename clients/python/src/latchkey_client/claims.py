"""Claims of a valid access token or API key, the same whether it was verified locally or by introspection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from latchkey_client.errors import InvalidToken

PERSON_AUDIENCE = "latchkey"
"""Audience (`aud`) of all tokens of sessions; only tokens of applications name the service that they are for."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The owner of a valid token, and what it may be used for. Times are Unix seconds.

    Three kinds of owner: the session of a user (`user_id` and `session_id`), an application (`client_id`), and an API
    key (`key_id`, with the `user_id` or the `client_id` of its owner). API keys exist with introspection alone.
    """

    subject: str
    """Claim `sub`: the user id as text, or the client id. Tell users and applications apart by the next two."""
    user_id: int | None = None
    client_id: str | None = None
    session_id: str | None = None
    key_id: str | None = None
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    """Scopes of an application or an API key; those of a user's roles with introspection alone."""
    acr: str = ""
    """Authentication level of a session: `aal1`, `aal2` or `phr`; empty for applications and API keys."""
    amr: tuple[str, ...] = ()
    auth_time: int | None = None
    """Time of the last authentication; None while only a password was given."""
    claims: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    """Custom claims of a user, as the operator has set them."""
    email: str | None = None
    """E-mail address of a user; with introspection alone. It proves nothing unless `email_verified` is true."""
    email_verified: bool | None = None
    expires_at: int | None = None
    """Time of expiry; None for an API key that does not expire."""

    @property
    def is_session(self) -> bool:
        """Whether the token is of a user who is signed in, and not of an application or an API key."""
        return self.session_id is not None


def build_claims(members: Mapping[str, Any], audience: str) -> Claims:
    """Return the claims in a JWT payload or an introspection response whose origin and times are checked.

    Raises InvalidToken unless the token has exactly one kind of owner and is for this audience (RFC 9068 section 4).
    API keys name no audience: they are for all services.
    """
    user_id, client_id = members.get("user_id"), members.get("client_id")
    session_id, key_id = members.get("sid"), members.get("key_id")
    if (type(user_id) is int) == isinstance(client_id, str):
        raise InvalidToken
    subject = str(user_id) if client_id is None else client_id
    is_session = isinstance(session_id, str) and client_id is None and key_id is None
    if members.get("sub") != subject or (session_id is not None) != is_session:
        raise InvalidToken
    if client_id is None and not is_session and key_id is None:
        raise InvalidToken
    if key_id is None and (PERSON_AUDIENCE if is_session else audience) not in _strings(members.get("aud")):
        raise InvalidToken("The access token is for another service")
    custom, auth_time, expires_at = members.get("claims"), members.get("auth_time"), members.get("exp")
    return Claims(
        subject=subject,
        user_id=user_id,
        client_id=client_id,
        session_id=session_id,
        key_id=None if key_id is None else str(key_id),
        roles=frozenset(_strings(members.get("roles")) if is_session else ()),
        scopes=frozenset(str(members.get("scope") or "").split()),
        acr=str(members.get("acr", "aal1")) if is_session else "",
        amr=_strings(members.get("amr")) if is_session else (),
        auth_time=auth_time if type(auth_time) is int else None,
        claims=MappingProxyType(dict(custom) if isinstance(custom, dict) else {}),
        email=members.get("username"),
        email_verified=members.get("email_verified"),
        expires_at=expires_at if type(expires_at) is int else None,
    )


def _strings(value: object) -> tuple[str, ...]:
    """Return the texts of a claim that is one text or an array of them (RFC 7519 section 4.1.3)."""
    listed = value if isinstance(value, list) else [value]
    return tuple(name for name in listed if isinstance(name, str))
