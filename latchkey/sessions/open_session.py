"""Opening of a session: a row, and the first refresh token. Only the package sign_in may import this module.

An import contract holds that, so that no endpoint can open a session without the checks of sign_in/admission.py.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from latchkey.accounts.models import User
from latchkey.conf.policy import Policy
from latchkey.core.client import ClientInfo
from latchkey.sessions.models import Session, random_id
from latchkey.sessions.sql import SessionValues
from latchkey.tokens.authentication_methods import Proof
from latchkey.tokens.refresh_token import digest, generate, refresh_token_keys, selector, successor


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that was just opened, and its refresh token."""

    session_id: int
    refresh_token: UUID


def open_session(user: User, proof: Proof, client: ClientInfo, now: datetime, policy: Policy) -> NewSession | None:
    """Insert a session in the caller's transaction; None if the user's credentials changed since they were verified.

    The credential version decides. Raises IntegrityError where the random selector is that of another session: 1 in 28
    million with 10 million sessions.
    """
    key = refresh_token_keys()[0]
    token = generate(key)
    values = SessionValues(
        id=random_id(),
        selector=selector(token),
        digest=digest(key, token),
        next_digest=digest(key, successor(key, token)),
        user_id=user.pk,
        credential_version=user.credential_version,
        expires_at=now + min(policy.refresh_token_lifetime, policy.session_lifetime_cap),
        proof=int(proof),
    )
    opened = Session.objects.insert_if_current(values, client, now, policy.sessions_per_user)
    return NewSession(values.id, token) if opened else None
