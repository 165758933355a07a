"""Registration: create an account with an e-mail address and a password.

While verification is required, registration does not allow user enumeration: the answer, the work and the mails are
the same for a new address and for one that has an account, and only the mail says which it is. In the other modes a
known address is answered `email_taken`.
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
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import send, send_or_simulate
from latchkey.mail.models import MailKind
from latchkey.rate_limits.attempts import charge, mail_key, registration_key


def register(email: str, password: str, client: ClientInfo) -> User | None:
    """Create a user with a normalized e-mail address; return None where the answer must be the same for all addresses.

    By the policy's email_verification:

    off       no mail is sent, and the user is returned
    optional  a mail to verify the address is sent, and the user is returned
    required  the mail is all that is answered; an inactive account gets none, at the same cost

    Raises RegistrationClosed, a PasswordToo... error, TooManyAttempts; and EmailTaken, unless it is required.
    """
    verification = current_policy().email_verification
    if verification == "off":
        return create_account(email, password, client)
    user = build_user(email, password, client)
    with transaction.atomic():
        charge(mail_key(email, client), client)  # never refunded: repeated registrations would flood a mailbox
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
    """Send the owner of the account a notice with a link that sets a new password.

    If somebody else created the account with this address (pre-hijacking), the link makes it the owner's: the other's
    password and every session end.
    """
    send(owner, Purpose.PASSWORD_RESET, kind=MailKind.REGISTRATION_OF_KNOWN_ADDRESS)


def create_account(email: str, password: str, client: ClientInfo) -> User:
    """Create a user without any mail; raises what build_user and insert_user raise."""
    return insert_user(build_user(email, password, client), client)


def build_user(email: str, password: str, client: ClientInfo) -> User:
    """Return a user with a hashed password who may be created; nothing is stored yet.

    Raises RegistrationClosed, a PasswordToo... error, or TooManyAttempts.
    """
    user = User(email=email)
    try:
        if not current_policy().registration_open:
            raise errors.RegistrationClosed
        validate_new_password(password, user)
    except (errors.BadRequest, errors.RegistrationClosed) as error:
        record(Event.REGISTRATION_REFUSED, client, reason=error.code)
        raise
    charge(registration_key(client), client)  # never refunded: a list of addresses would show which are taken
    user.set_password(password)
    return user


def insert_user(user: User, client: ClientInfo) -> User:
    """Store the user; the unique index decides between concurrent registrations, so they create one account.

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
