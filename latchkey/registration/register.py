"""Open an account.

Register, as far as the address has to be confirmed.
"""

from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import admit
from latchkey.audit.events import Event
from latchkey.audit.log import keep, record
from latchkey.conf.policy import current
from latchkey.core import exceptions as errors
from latchkey.core.client import Client
from latchkey.core.exceptions import EmailTaken
from latchkey.email_codes.issue import send, send_or_pretend
from latchkey.email_codes.models import Purpose
from latchkey.mail.models import Kind
from latchkey.rate_limits.attempts import charge, mailing, registering


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


def sign_up(email: str, password: str, client: Client) -> User | None:
    """Add a user with a canonical e-mail address; None where it must not be told whether there was one before.

    While verification is off nothing is sent. While it is optional a mail goes out beside the usual answer. While it
    is required the mail is the answer, and an inactive account hears nothing, at the same cost. Raises
    RegistrationClosed, a PasswordToo... refusal, TooManyAttempts; and EmailTaken, except while it is required.
    """
    verification = current().email_verification
    if verification == "off":
        return register(email, password, client)
    user = candidate(email, password, client)
    with transaction.atomic():
        charge(mailing(email, client), client)  # as whoever goes on floods a mailbox
        owner = User.objects.filter(email=email, is_active=True).first()
        try:
            add(user, client)
        except EmailTaken:
            if verification == "optional":
                raise
            send_or_pretend(owner, _tell_owner, email)
        else:
            send_or_pretend(user, lambda user: send(user, Purpose.EMAIL_VERIFICATION), email)
    return user if verification == "optional" else None


def _tell_owner(owner: User) -> None:
    """Tell who has the account already, with a link that sets a new password.

    Where somebody else opened it with this address, the link makes it the owner's: every session and the password of
    that other one end (pre-hijacking).
    """
    send(owner, Purpose.PASSWORD_RESET, kind=Kind.REGISTRATION_OF_KNOWN_ADDRESS)
