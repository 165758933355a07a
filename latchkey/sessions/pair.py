"""What a sign-in and a refresh give out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from latchkey.tokens import access_token


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A fresh access token (a JWT) and the session's one live refresh token (a UUID)."""

    access_token: str
    refresh_token: UUID


def issue_pair(session_id: int, user_id: int, secret: UUID, now: datetime, lifetime: timedelta) -> TokenPair:
    """Sign an access token for the session, valid from now for the lifetime, to go with its refresh token."""
    return TokenPair(access_token.issue(user_id, session_id, now, lifetime), secret)
