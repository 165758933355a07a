"""Register, as far as the address has to be confirmed."""

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.accounts.register import add, candidate, register
from latchkey.codes.ask import send_or_pretend
from latchkey.codes.purposes import Purpose
from latchkey.codes.send import send
from latchkey.core.client import Client
from latchkey.core.errors import EmailTaken
from latchkey.core.policy import current
from latchkey.limits.attempts import charge
from latchkey.limits.subjects import mailing
from latchkey.mail.kinds import Kind


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
