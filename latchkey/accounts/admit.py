"""Let a new password in, or refuse it."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from latchkey.accounts.models import User
from latchkey.core import errors

_REFUSALS = {
    refusal.code: refusal
    for refusal in (
        errors.PasswordTooShort,
        errors.PasswordTooLong,
        errors.PasswordTooCommon,
        errors.PasswordTooObvious,
    )
}


def admit(password: str, user: User, field: str = "password") -> None:
    """Look at a new password for this user; raises a PasswordToo... refusal that blames the field."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        refusal = _REFUSALS[str(error.error_list[0].code)]
        raise refusal({field: [refusal.detail]}) from error
