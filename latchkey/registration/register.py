"""Open an account.

Register, as far as the address has to be confirmed.
"""

from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import validate_new_password
from latchkey.audit.events import Event
from latchkey.audit.log import persist, record
from latchkey.conf.policy import current_policy
from latchkey.core import exceptions as errors
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailTaken
from latchkey.email_codes.issue import send, send_or_simulate
from latchkey.email_codes.models import Purpose
from latchkey.mail.models import MailKind
from latchkey.rate_limits.attempts import charge, mail_key, registration_key


def create_account(email: str, password: str, client: ClientInfo) -> User:
    """Add a user with a canonical e-mail address; raises what candidate and add raise."""
    return insert_user(build_user(email, password, client), client)


def build_user(email: str, password: str, client: ClientInfo) -> User:
    """Return a user who may be added, with the password hashed; nothing is stored yet.

    Raises RegistrationClosed, a PasswordToo... refusal, or TooManyAttempts.
    """
    user = User(email=email)
    try:
        if not current_policy().registration_open:
            raise errors.RegistrationClosed
        validate_new_password(password, user)
    except (errors.BadRequest, errors.RegistrationClosed) as refusal:
        record(Event.REGISTRATION_REFUSED, client, reason=refusal.code)
        raise
    charge(registration_key(client), client)  # for good: whoever tries addresses learns which ones are taken
    user.set_password(password)
    return user


def insert_user(user: User, client: ClientInfo) -> User:
    """Store the user; the unique index decides who comes first, so parallel ones make one account.

    Raises EmailTaken.
    """
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            persist(Event.USER_REGISTERED, client, user.pk)
    except IntegrityError as error:
        record(Event.REGISTRATION_REFUSED, client, reason=errors.EmailTaken.code)
        raise errors.EmailTaken from error
    record(Event.USER_REGISTERED, client, user_id=user.pk, persisted=True)
    return user


def register(email: str, password: str, client: ClientInfo) -> User | None:
    """Add a user with a canonical e-mail address; None where it must not be told whether there was one before.

    While verification is off nothing is sent. While it is optional a mail goes out beside the usual answer. While it
    is required the mail is the answer, and an inactive account hears nothing, at the same cost. Raises
    RegistrationClosed, a PasswordToo... refusal, TooManyAttempts; and EmailTaken, except while it is required.
    """
    verification = current_policy().email_verification
    if verification == "off":
        return create_account(email, password, client)
    user = build_user(email, password, client)
    with transaction.atomic():
        charge(mail_key(email, client), client)  # as whoever goes on floods a mailbox
        owner = User.objects.filter(email=email, is_active=True).first()
        try:
            insert_user(user, client)
        except EmailTaken:
            if verification == "optional":
                raise
            send_or_simulate(owner, _notify_owner, email)
        else:
            send_or_simulate(user, lambda user: send(user, Purpose.EMAIL_VERIFICATION), email)
    return user if verification == "optional" else None


def _notify_owner(owner: User) -> None:
    """Tell who has the account already, with a link that sets a new password.

    Where somebody else opened it with this address, the link makes it the owner's: every session and the password of
    that other one end (pre-hijacking).
    """
    send(owner, Purpose.PASSWORD_RESET, kind=MailKind.REGISTRATION_OF_KNOWN_ADDRESS)
