"""Open an account."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import errors
from latchkey.core.client import Client
from latchkey.core.policy import current

_PASSWORD_REFUSALS = {
    refusal.code: refusal for refusal in (errors.PasswordTooShort, errors.PasswordTooLong, errors.PasswordTooCommon)
}


def register(email: str, password: str, client: Client) -> User:
    """Add a user with a canonical e-mail address.

    The unique index decides who comes first, so parallel registrations make one account. Raises
    RegistrationClosed, a PasswordToo... refusal, or EmailTaken.
    """
    if not current().registration_open:
        raise errors.RegistrationClosed
    try:
        validate_password(password, User(email=email))
    except ValidationError as error:
        raise _PASSWORD_REFUSALS[str(error.error_list[0].code)] from error
    user = User(email=email)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise errors.EmailTaken from error
    record(Event.USER_REGISTERED, client, user_id=user.pk)
    return user
