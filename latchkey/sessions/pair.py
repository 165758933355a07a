"""What a sign-in and a refresh give out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from latchkey.tokens import access_token
from latchkey.tokens.keys import Key


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A fresh access token (a JWT) and the session's one live refresh token (a UUID)."""

    access_token: str
    refresh_token: UUID


@dataclass(frozen=True, slots=True)
class Terms:
    """From when and for how long an access token is valid, and the key that signs it, None for the secret's own."""

    now: datetime
    lifetime: timedelta
    key: Key | None


def issue_pair(session_id: int, user_id: int, secret: UUID, terms: Terms) -> TokenPair:
    """Sign an access token for the session, to go with its refresh token."""
    return TokenPair(access_token.issue(user_id, session_id, terms.now, terms.lifetime, terms.key), secret)
