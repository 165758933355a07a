"""Sign in: prove a password, get a session."""

from datetime import datetime

from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction

from latchkey.accounts.email import spelled_alike
from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.core.errors import InvalidCredentials
from latchkey.core.policy import current
from latchkey.keys.ring import signing_key
from latchkey.limits.attempts import Charge, charge, refund
from latchkey.limits.subjects import signing_in
from latchkey.sessions.models import Session, random_id
from latchkey.sessions.pair import Terms, TokenPair, issue_pair
from latchkey.sessions.shapes import Opening
from latchkey.tokens.keys import Key, refresh_token_keys
from latchkey.tokens.refresh_token import digest, generate, selector, successor


def login(email: str, password: str, client: Client) -> TokenPair:
    """Open a session for the user with this e-mail address and password.

    Raises InvalidCredentials, or TooManyAttempts before the password is looked at, or Unavailable before that, where
    no key can sign. Django's authenticate does equal work for unknown, inactive and password-less accounts, so that
    neither the answer nor its time tells which addresses have one.
    """
    signs = signing_key(clock.now())
    charged, user = _prove(email, password, client)
    try:
        return _sign_in(user, charged, client, signs)
    except IntegrityError:  # with 10 million sessions one draw in 28 million is the selector of another
        return _sign_in(user, charged, client, signs)


def _sign_in(user: User, charged: Charge, client: Client, signs: Key | None) -> TokenPair:
    now, policy, key = clock.now(), current(), refresh_token_keys()[0]
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
    try:
        _open(opening, charged, client, now, policy.sessions_per_user)
    except InvalidCredentials:
        record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="revoked")
        raise
    record(Event.LOGIN_SUCCEEDED, client, user_id=user.pk, session_id=opening.id, kept=True)
    return issue_pair(opening.id, user.pk, secret, Terms(now, policy.access_token_lifetime, signs))


def _prove(email: str, password: str, client: Client) -> tuple[Charge, User]:
    charged = charge(signing_in(spelled_alike(email), client), client)
    user = authenticate(email=email, password=password)
    if not isinstance(user, User):
        tried = User.objects.filter(email=spelled_alike(email)).values_list("pk", flat=True).first()
        record(Event.LOGIN_FAILED, client, user_id=tried)
        raise InvalidCredentials
    return charged, user


@transaction.atomic
def _open(opening: Opening, charged: Charge, client: Client, now: datetime, keep: int) -> None:
    """Add the session, if what was proven still holds: the user may have changed while the password was hashed.

    The refund comes first. It writes the account's row of attempts, so that sign-ins to one account follow
    each other from here on, and each sees the sessions of those before it when it counts them.
    """
    refund(charged)
    if not Session.objects.open(opening, client, now, keep):
        raise InvalidCredentials  # which takes the refund back, too
