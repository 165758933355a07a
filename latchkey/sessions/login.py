"""Sign-in: verify a password, open a session, issue a pair of tokens."""

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
from latchkey.rate_limits.attempts import Charge, charge, login_key, raise_if_device_is_hidden, refund
from latchkey.sessions.models import NewSession, open_session
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import AccessTokenSpec, Key, TokenPair, issue_pair


def charge_login(email: str, client: ClientInfo) -> Charge:
    """Count a sign-in as failed before it is checked; raises TooManyAttempts."""
    return charge(login_key(normalize_for_lookup(email), client), client)


def login(email: str, password: str, client: ClientInfo, charged: Charge | None = None) -> TokenPair:
    """Open a session for the user with this e-mail address and password, and return its tokens.

    charged is the attempt, if it was counted before it waited for hashing.
    Raises ServiceUnavailable where no key can sign; TooManyAttempts before the password is verified;
    InvalidCredentials; and EmailNotVerified if the password is correct. Django's authenticate does equal work for
    unknown, inactive and password-less accounts: neither the response nor its time allows to enumerate users.
    """
    key = signing_key(clock.now())
    charged = charged or charge_login(email, client)
    user = _verify_credentials(email, password, client, charged)
    try:
        try:
            return _sign_in(user, charged, client, key)
        except IntegrityError:  # with 10 million sessions, 1 in 28 million random selectors belongs to another
            return _sign_in(user, charged, client, key)
    except DatabaseError:  # the password was right: a failure of ours is no failed attempt
        with suppress(DatabaseError):
            refund(charged)
        raise


def _sign_in(user: User, charged: Charge, client: ClientInfo, key: Key | None) -> TokenPair:
    now, policy = clock.now(), current_policy()
    try:
        opened = _open(user, charged, client, now, policy)
    except InvalidCredentials:
        record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="revoked")
        raise
    record(Event.LOGIN_SUCCEEDED, client, user_id=user.pk, session_id=opened.session_id, persisted=True)
    spec = AccessTokenSpec(now, policy.access_token_lifetime, key)
    return issue_pair(opened.session_id, user.pk, opened.refresh_token, spec)


def _verify_credentials(email: str, password: str, client: ClientInfo, charged: Charge) -> User:
    user = authenticate(email=email, password=password)
    if not isinstance(user, User):
        user_id = User.objects.filter(email=normalize_for_lookup(email)).values_list("pk", flat=True).first()
        record(Event.LOGIN_FAILED, client, user_id=user_id)
        raise_if_device_is_hidden(charged, client)
        raise InvalidCredentials
    if user.email_verified_at is None and current_policy().email_verification == "required":
        refund(charged)
        record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="not verified")
        raise EmailNotVerified
    return user


@transaction.atomic
def _open(user: User, charged: Charge, client: ClientInfo, now: datetime, policy: Policy) -> NewSession:
    """Insert the session if the credentials are still valid: the user may have changed while the password was hashed.

    The refund comes first. It locks the account's row of rate limits, so that concurrent sign-ins to one account are
    serialized from here on, and each counts the sessions of those before it. Raises InvalidCredentials.
    """
    refund(charged)
    opened = open_session(user, client, now, policy)
    if opened is None:
        raise InvalidCredentials  # rolls the refund back, too
    return opened
