"""Sign in: prove a password, get a session."""

from contextlib import suppress
from datetime import datetime

from django.contrib.auth import authenticate
from django.db import DatabaseError, IntegrityError, transaction

from latchkey.accounts.models import User, normalize_for_lookup
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import Policy, current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailNotVerified, InvalidCredentials
from latchkey.rate_limits.attempts import Charge, charge, login_key, refund
from latchkey.sessions.models import NewSession, open_session
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import AccessTokenSpec, Key, TokenPair, issue_pair


def login(email: str, password: str, client: ClientInfo) -> TokenPair:
    """Open a session for the user with this e-mail address and password.

    Raises InvalidCredentials, or TooManyAttempts before the password is looked at, or Unavailable before that, where
    no key can sign; and EmailNotVerified, to whoever knows the password alone. Django's authenticate does equal work
    for unknown, inactive and password-less accounts, so that neither the answer nor its time tells which addresses
    have one.
    """
    signs = signing_key(clock.now())
    charged, user = _verify_credentials(email, password, client)
    try:
        try:
            return _sign_in(user, charged, client, signs)
        except IntegrityError:  # with 10 million sessions one draw in 28 million is the selector of another
            return _sign_in(user, charged, client, signs)
    except DatabaseError:  # the password was right; who tries again, as told, is not to wait for our failures
        with suppress(DatabaseError):
            refund(charged)
        raise


def _sign_in(user: User, charged: Charge, client: ClientInfo, signs: Key | None) -> TokenPair:
    now, policy = clock.now(), current_policy()
    try:
        opened = _open(user, charged, client, now, policy)
    except InvalidCredentials:
        record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="revoked")
        raise
    record(Event.LOGIN_SUCCEEDED, client, user_id=user.pk, session_id=opened.session_id, persisted=True)
    terms = AccessTokenSpec(now, policy.access_token_lifetime, signs)
    return issue_pair(opened.session_id, user.pk, opened.refresh_token, terms)


def _verify_credentials(email: str, password: str, client: ClientInfo) -> tuple[Charge, User]:
    charged = charge(login_key(normalize_for_lookup(email), client), client)
    user = authenticate(email=email, password=password)
    if not isinstance(user, User):
        tried = User.objects.filter(email=normalize_for_lookup(email)).values_list("pk", flat=True).first()
        record(Event.LOGIN_FAILED, client, user_id=tried)
        raise InvalidCredentials
    if user.email_verified_at is None and current_policy().email_verification == "required":
        refund(charged)
        record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="not verified")
        raise EmailNotVerified
    return charged, user


@transaction.atomic
def _open(user: User, charged: Charge, client: ClientInfo, now: datetime, policy: Policy) -> NewSession:
    """Add the session, if what was proven still holds: the user may have changed while the password was hashed.

    The refund comes first. It writes the account's row of attempts, so that sign-ins to one account follow
    each other from here on, and each sees the sessions of those before it when it counts them.
    """
    refund(charged)
    opened = open_session(user, client, now, policy)
    if opened is None:
        raise InvalidCredentials  # which takes the refund back, too
    return opened
