"""Reauthentication: a signed-in user gives the password again before a sensitive operation (ASVS 7.5.1).

An access token may be stolen, and does not show that its owner is there. So a token alone changes no password and no
e-mail address, and deletes no account.
"""

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken, WrongPassword
from latchkey.rate_limits.attempts import Charge, charge
from latchkey.rate_limits.keys import login_key


def get_user(user_id: int) -> User:
    """Return the user of an access token, with all columns; raises InvalidToken if the account was just deleted."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise InvalidToken
    return user


def reauthenticate(user: User, password: str, client: ClientInfo, field: str = "password") -> Charge:
    """Check the password under the same limits as a sign-in; return the charge, which the caller refunds.

    Raises WrongPassword for the field, or TooManyAttempts before the password is looked at.
    """
    charged = charge(login_key(user.email, client), client)
    if not user.check_password(password):
        record(Event.PASSWORD_REFUSED, client, user_id=user.pk)
        raise WrongPassword({field: [WrongPassword.detail]})
    return charged
