"""Open an account."""

from django.db import IntegrityError, transaction

from latchkey.accounts.admit import admit
from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.keep import keep
from latchkey.audit.log import record
from latchkey.core import errors
from latchkey.core.client import Client
from latchkey.core.policy import current
from latchkey.limits.attempts import charge
from latchkey.limits.subjects import registering


def register(email: str, password: str, client: Client) -> User:
    """Add a user with a canonical e-mail address; raises what candidate and add raise."""
    return add(candidate(email, password, client), client)


def candidate(email: str, password: str, client: Client) -> User:
    """Return a user who may be added, with the password hashed; nothing is stored yet.

    Raises RegistrationClosed, a PasswordToo... refusal, or TooManyAttempts.
    """
    user = User(email=email)
    try:
        if not current().registration_open:
            raise errors.RegistrationClosed
        admit(password, user)
    except (errors.BadRequest, errors.RegistrationClosed) as refusal:
        record(Event.REGISTRATION_REFUSED, client, reason=refusal.code)
        raise
    charge(registering(client), client)  # for good: whoever tries addresses learns which ones are taken
    user.set_password(password)
    return user


def add(user: User, client: Client) -> User:
    """Store the user; the unique index decides who comes first, so parallel ones make one account.

    Raises EmailTaken.
    """
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            keep(Event.USER_REGISTERED, client, user.pk)
    except IntegrityError as error:
        record(Event.REGISTRATION_REFUSED, client, reason=errors.EmailTaken.code)
        raise errors.EmailTaken from error
    record(Event.USER_REGISTERED, client, user_id=user.pk, kept=True)
    return user
