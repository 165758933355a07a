"""Ask somebody who is signed in for the password again, before what a thief of a token must not do."""

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken, WrongPassword
from latchkey.rate_limits.attempts import Charge, charge, login_key


def get_user(user_id: int) -> User:
    """Return the whole user of an access token; raises InvalidToken where the account has just been deleted."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise InvalidToken
    return user


def reauthenticate(user: User, password: str, client: ClientInfo, field: str = "password") -> Charge:
    """Compare the password, under the same limits as a sign-in, and return the charge to refund.

    Raises WrongPassword, which blames the field, or TooManyAttempts before the password is looked at.
    """
    charged = charge(login_key(user.email, client), client)
    if not user.check_password(password):
        record(Event.PASSWORD_REFUSED, client, user_id=user.pk)
        raise WrongPassword({field: [WrongPassword.detail]})
    return charged
