"""What a sign-in and a refresh give out.

Open a session for somebody who has proven who they are.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from latchkey.accounts.models import User
from latchkey.conf.policy import Policy
from latchkey.core.client import ClientInfo
from latchkey.sessions.models import Session, random_id
from latchkey.sessions.sql import SessionValues
from latchkey.tokens import access_token
from latchkey.tokens.keys import Key, refresh_token_keys
from latchkey.tokens.refresh_token import digest, generate, selector, successor


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A fresh access token (a JWT) and the session's one live refresh token (a UUID)."""

    access_token: str
    refresh_token: UUID


@dataclass(frozen=True, slots=True)
class AccessTokenSpec:
    """From when and for how long an access token is valid, and the key that signs it, None for the secret's own."""

    issued_at: datetime
    lifetime: timedelta
    key: Key | None


def issue_pair(session_id: int, user_id: int, secret: UUID, spec: AccessTokenSpec) -> TokenPair:
    """Sign an access token for the session, to go with its refresh token."""
    return TokenPair(access_token.issue(user_id, session_id, spec.issued_at, spec.lifetime, spec.key), secret)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that has just begun, and its refresh token."""

    session_id: int
    refresh_token: UUID


def open_session(user: User, client: ClientInfo, now: datetime, policy: Policy) -> NewSession | None:
    """Add a session, in the transaction around; None where what was proven holds no more.

    The user may have changed meanwhile: the credential version decides. With 10 million sessions one draw in 28 million
    is the selector of another, and raises IntegrityError.
    """
    key = refresh_token_keys()[0]
    secret = generate(key)
    opening = SessionValues(
        id=random_id(),
        selector=selector(secret),
        digest=digest(key, secret),
        next_digest=digest(key, successor(key, secret)),
        user_id=user.pk,
        credential_version=user.credential_version,
        expires_at=now + min(policy.refresh_token_lifetime, policy.session_lifetime_cap),
    )
    opened = Session.objects.insert_if_current(opening, client, now, policy.sessions_per_user)
    return NewSession(opening.id, secret) if opened else None
