"""Sign-in with an e-mail address and a password; what follows is `admission.py`."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from django.contrib.auth import authenticate
from django.db import DatabaseError

from latchkey.accounts.models import User, normalize_for_lookup
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailNotVerified, InvalidCredentials
from latchkey.rate_limits.attempts import Charge, charge, raise_if_device_is_hidden, refund
from latchkey.rate_limits.keys import login_key
from latchkey.sign_in.admission import admit
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import TokenPair
from latchkey.tokens.authentication_methods import Proof


def charge_login(email: str, client: ClientInfo) -> Charge:
    """Count a sign-in as failed before it is checked; raises TooManyAttempts."""
    return charge(login_key(normalize_for_lookup(email), client), client)


def login(email: str, password: str, client: ClientInfo, charged: Charge | None = None) -> TokenPair:
    """Open a session for the user with this e-mail address and password, and return its tokens.

    charged is the attempt, if it was counted before it waited for hashing.
    Raises ServiceUnavailable where no key can sign; TooManyAttempts before the password is verified;
    InvalidCredentials; EmailNotVerified if the password is correct; and SecondFactorRequired with a ticket. Django's
    authenticate does equal work for unknown, inactive and password-less accounts: neither the response nor its time
    allows to enumerate users.
    """
    key = signing_key(clock.now())
    charged = charged or charge_login(email, client)
    user = verify_credentials(email, password, client, charged)
    try:
        with refund_if_we_fail(charged):
            return admit(user, Proof.PASSWORD, client, key, partial(refund, charged))
    except InvalidCredentials:
        record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="revoked")
        raise


@contextmanager
def refund_if_we_fail(charged: Charge) -> Iterator[None]:
    """Refund an attempt whose password was right if the database fails: a failure of ours is no failed attempt."""
    try:
        yield
    except DatabaseError:
        with suppress(DatabaseError):
            refund(charged)
        raise


def verify_credentials(email: str, password: str, client: ClientInfo, charged: Charge) -> User:
    """Return the user with this e-mail address and password, with the columns of a sign-in.

    Raises InvalidCredentials; TooManyAttempts where that would tell of a known device; and EmailNotVerified.
    """
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
