"""Open a session for somebody who has proven who they are."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from latchkey.accounts.models import User
from latchkey.core.client import Client
from latchkey.core.knobs import Policy
from latchkey.sessions.models import Session, random_id
from latchkey.sessions.shapes import Opening
from latchkey.tokens.keys import refresh_token_keys
from latchkey.tokens.refresh_token import digest, generate, selector, successor


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that has just begun, and its refresh token."""

    session_id: int
    secret: UUID


def open_session(user: User, client: Client, now: datetime, policy: Policy) -> Opened | None:
    """Add a session, in the transaction around; None where what was proven holds no more.

    The user may have changed meanwhile: the credential version decides. With 10 million sessions one draw in 28 million
    is the selector of another, and raises IntegrityError.
    """
    key = refresh_token_keys()[0]
    secret = generate(key)
    opening = Opening(
        id=random_id(),
        selector=selector(secret),
        digest=digest(key, secret),
        next_digest=digest(key, successor(key, secret)),
        user_id=user.pk,
        credential_version=user.credential_version,
        expires_at=now + min(policy.refresh_token_lifetime, policy.session_lifetime_cap),
    )
    opened = Session.objects.open(opening, client, now, policy.sessions_per_user)
    return Opened(opening.id, secret) if opened else None
