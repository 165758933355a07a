"""Sign in: prove a password, get a session."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth import authenticate
from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.core.errors import InvalidCredentials
from latchkey.core.policy import Policy, current
from latchkey.sessions.models import Session
from latchkey.sessions.pair import TokenPair, issue_pair
from latchkey.tokens.keys import refresh_token_keys
from latchkey.tokens.refresh_token import digest, generate, selector, successor


def login(email: str, password: str, client: Client) -> TokenPair:
    """Open a session for the user with this e-mail address and password; raises InvalidCredentials.

    Django's authenticate does equal work for unknown, inactive and password-less accounts, so that
    neither the answer nor its time tells which addresses have one.
    """
    user = authenticate(email=email, password=password)
    if not isinstance(user, User):
        record(Event.LOGIN_FAILED, client)
        raise InvalidCredentials
    now, policy, secret = clock.now(), current(), generate()
    with transaction.atomic():
        session = _open(user, secret, client, now, policy)
        _make_room(session, now, policy.sessions_per_user)
    record(Event.LOGIN_SUCCEEDED, client, user_id=user.pk, session_id=session.pk)
    return issue_pair(session.pk, user.pk, secret, now, policy.access_token_lifetime)


def _open(user: User, secret: UUID, client: Client, now: datetime, policy: Policy) -> Session:
    """Add the session, if what was proven still holds: the user may have changed while the password was hashed.

    The lock on the user makes sign-ins of one user follow each other, and holds off a deletion; SQLite's
    transactions do that by themselves.
    """
    proven = User.objects.filter(pk=user.pk, is_active=True, credential_version=user.credential_version)
    if proven.select_for_update(no_key=True).values_list("pk").first() is None:
        record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="revoked")
        raise InvalidCredentials
    key = refresh_token_keys()[0]
    return Session.objects.create(
        selector=selector(secret),
        digest=digest(key, secret),
        next_digest=digest(key, successor(key, secret)),
        user=user,
        credential_version=user.credential_version,
        created_at=now,
        rotated_at=now,
        expires_at=now + min(policy.refresh_token_lifetime, policy.session_lifetime_cap),
        ip=client.address,
        user_agent=client.user_agent,
    )


def _make_room(opened: Session, now: datetime, keep: int) -> None:
    """Delete the user's ended sessions and, past the cap, the oldest live ones, in one statement.

    The new one is spared by its id: after the clock was set back it may look like the oldest.
    """
    others = Session.objects.filter(user=opened.user).exclude(pk=opened.pk)
    live = others.filter(expires_at__gt=now, credential_version=opened.credential_version)
    newest = live.order_by("-created_at", "-id").values("id")[: keep - 1]
    others.exclude(pk__in=newest).delete()
