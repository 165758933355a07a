"""The first superuser, created when a server starts and there is none yet.

Without it nobody could open the admin area of a new installation; nodes that start together create one.
"""

import secrets

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from latchkey.accounts.models import User


def ensure_superuser(email: str, password: str) -> str | None:
    """Create a superuser if there is none; return the password if one was generated, else None.

    Raises ValueError with a sentence if the e-mail address or the password cannot be used.
    """
    if User.objects.filter(is_superuser=True).exists():
        return None
    generated = None if password else secrets.token_urlsafe(15)
    try:
        with transaction.atomic():
            User.objects.create_superuser(email, password or generated)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from error
    except IntegrityError:
        if User.objects.filter(is_superuser=True).exists():
            return None  # another node that started at the same time was faster
        raise ValueError("an account with this address exists, and it is not a superuser; use another.") from None
    return generated
