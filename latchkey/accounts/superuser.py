"""Make the first superuser."""

import secrets

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from latchkey.accounts.models import User


def ensure_superuser(email: str, password: str) -> str | None:
    """Make a superuser where there is none yet; return the password where one had to be made up.

    Raises ValueError with a sentence where the e-mail address or the password cannot be used.
    """
    if User.objects.filter(is_superuser=True).exists():
        return None
    generated = None if password else secrets.token_urlsafe(15)
    first_ever = {} if User.objects.exists() else {"id": 0}  # so that the first to register is user 1
    try:
        with transaction.atomic():
            User.objects.create_superuser(email, password or generated, **first_ever)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from error
    except IntegrityError:
        if User.objects.filter(is_superuser=True).exists():
            return None  # of nodes that start together another one was faster
        raise ValueError("there is an account with this address, which is no superuser; take another.") from None
    return generated
