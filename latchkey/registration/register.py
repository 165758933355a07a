"""Registration: create an account with an e-mail address and a password.

While verification is required, registration does not allow user enumeration: the answer, the work and the mails are
the same for a new address and for one that has an account, and only the mail says which it is. In the other modes a
known address is answered `email_taken`.

An account that nobody has verified or used belongs to the registration that came last, so that nobody can wait in it
for the owner of the address (account pre-hijacking; docs/decisions/0019).
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import validate_new_password
from latchkey.audit.events import Event
from latchkey.audit.log import persist, record
from latchkey.audit.models import AuditEvent
from latchkey.conf.policy import current_policy
from latchkey.core import exceptions as errors
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailTaken
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import send, send_or_simulate
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import require_mail_server
from latchkey.mail.smtputf8 import require_deliverable
from latchkey.rate_limits.attempts import charge
from latchkey.rate_limits.keys import mail_key, registration_key
from latchkey.sessions.models import Session

AGAIN = "again"
"""Reason of the event of a registration that replaces an earlier one of the same address."""

USES = tuple(map(str, (Event.LOGIN_SUCCEEDED, Event.ADMIN_LOGIN_SUCCEEDED, Event.PASSWORD_CHANGED)))
"""Events after which an account counts as used."""


def register(email: str, password: str, client: ClientInfo) -> User | None:
    """Create a user with a normalized e-mail address; return None where the answer must be the same for all addresses.

    By the policy's email_verification:

    off       no mail is sent, and the user is returned
    optional  a mail to verify the address is sent, and the user is returned
    required  the mail is all that is answered; an inactive account gets none, at the same cost

    Raises RegistrationClosed, a PasswordToo... error, TooManyAttempts; InvalidInput for an address that no mail can
    reach; EmailTaken, unless it is required; or ServiceUnavailable, if it is required and there is no mail server.
    """
    verification = current_policy().email_verification
    if verification == "required":
        require_mail_server()
    if verification == "off":
        return create_account(email, password, client)
    require_deliverable(email)
    user = build_user(email, password, client)
    charge(mail_key(email, client), client)  # never refunded, nor rolled back for an address that is taken
    with transaction.atomic():
        owner = find_owner(email)
        try:
            insert_user(user, client)
        except EmailTaken:
            if verification == "optional":
                raise
            if not (owner and owner.is_unused and replace_unused(owner, user, client)):
                send_or_simulate(owner, _notify_owner, email)
                return None
        send_or_simulate(user, lambda user: send(user, Purpose.EMAIL_VERIFICATION), email)
    return user if verification == "optional" else None


def find_owner(email: str) -> Any:
    """Return the active account of an address, with `is_unused`: registered, but never verified or used by anybody.

    An account that somebody has signed in to, one of an operator or of an import, and one of staff is in use. Otherwise
    a stranger could end the sessions of everybody who was never asked to verify an address.
    """
    events = AuditEvent.objects.filter(user_id=OuterRef("pk"))
    is_unused = (
        Q(email_verified_at=None, is_staff=False, is_superuser=False)
        & Exists(events.filter(name=Event.USER_REGISTERED.value, detail__in=("", AGAIN)))
        & ~Exists(events.filter(name__in=USES))
        & ~Exists(Session.objects.filter(user=OuterRef("pk")))
    )
    return User.objects.filter(email=email, is_active=True).annotate(is_unused=is_unused).first()


def replace_unused(owner: User, user: User, client: ClientInfo) -> bool:
    """Give an unused account to this registration; return False where somebody has used or replaced it meanwhile.

    Its password is replaced, and its earlier links, codes and sessions end, as the credential version rises.
    """
    user.pk, user.credential_version = owner.pk, owner.credential_version + 1
    unchanged = User.objects.filter(pk=owner.pk, email_verified_at=None, credential_version=owner.credential_version)
    values = {"password": user.password, "username": "", "credential_version": user.credential_version}
    if not unchanged.update(**values):
        return False
    record(Event.USER_REGISTERED, client, user_id=user.pk, reason=AGAIN)
    return True


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
