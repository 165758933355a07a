"""Open an account."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.keep import keep
from latchkey.audit.log import record
from latchkey.core import errors
from latchkey.core.client import Client
from latchkey.core.policy import current
from latchkey.limits.attempts import charge
from latchkey.limits.subjects import registering

_PASSWORD_REFUSALS = {
    refusal.code: refusal
    for refusal in (
        errors.PasswordTooShort,
        errors.PasswordTooLong,
        errors.PasswordTooCommon,
        errors.PasswordTooObvious,
    )
}


def register(email: str, password: str, client: Client) -> User:
    """Add a user with a canonical e-mail address.

    The unique index decides who comes first, so parallel registrations make one account. Raises
    RegistrationClosed, a PasswordToo... refusal, TooManyAttempts, or EmailTaken.
    """
    try:
        user = _register(email, password, client)
    except (errors.BadRequest, errors.RegistrationClosed) as refusal:
        record(Event.REGISTRATION_REFUSED, client, reason=refusal.code)
        raise
    record(Event.USER_REGISTERED, client, user_id=user.pk, kept=True)
    return user


def _register(email: str, password: str, client: Client) -> User:
    if not current().registration_open:
        raise errors.RegistrationClosed
    user = User(email=email)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise _PASSWORD_REFUSALS[str(error.error_list[0].code)] from error
    charge(registering(client), client)  # for good: whoever tries addresses learns which ones are taken
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            keep(Event.USER_REGISTERED, client, user.pk)
    except IntegrityError as error:
        raise errors.EmailTaken from error
    return user
