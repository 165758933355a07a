"""Sign in: prove a password, get a session."""

from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.core.errors import InvalidCredentials
from latchkey.core.policy import current
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
    now, policy, key, secret = clock.now(), current(), refresh_token_keys()[0], generate()
    session = Session(
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
    try:
        with transaction.atomic():
            session.save(force_insert=True)
    except IntegrityError as error:  # the user was deleted while the password was being checked
        raise InvalidCredentials from error
    _make_room(session, policy.sessions_per_user)
    record(Event.LOGIN_SUCCEEDED, client, user_id=user.pk, session_id=session.pk)
    return issue_pair(session.pk, user.pk, secret, now, policy.access_token_lifetime)


def _make_room(opened: Session, keep: int) -> None:
    """Delete the user's ended sessions and, past the cap, the oldest live ones, in one statement.

    It comes after the new row, so that of two sign-ins at once the later one sees both. The new session is
    spared by its id: after the clock was set back it may look like the oldest.
    """
    others = Session.objects.filter(user=opened.user).exclude(pk=opened.pk)
    live = others.filter(expires_at__gt=clock.now(), credential_version=opened.credential_version)
    newest = live.order_by("-created_at", "-id").values("id")[: keep - 1]
    others.exclude(pk__in=newest).delete()
