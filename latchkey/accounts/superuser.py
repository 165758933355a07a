"""The superuser of the environment, created or restored when a server starts and no superuser can sign in.

Without it nobody could open the admin area of a new installation, or of one whose superusers were lost to a restore or
to SQL by hand. Nodes that start together create one.
"""

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from latchkey.accounts.models import User, normalize_email
from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, record_by


def ensure_superuser(email: str, password: str) -> str | None:
    """Create a superuser if there is no active one; return the password if one was generated, else None.

    An account of staff that has this address becomes the superuser, with the new password. Any other account is left
    alone: anybody may have registered it, and may still have a way in. Raises ValueError with a sentence if the e-mail
    address or the password cannot be used.
    """
    if has_superuser():
        return None
    generated = None if password else secrets.token_urlsafe(15)
    try:
        with transaction.atomic():
            if not _restore(email, password or str(generated)):
                User.objects.create_superuser(email, password or generated)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from error
    except IntegrityError:
        if has_superuser():
            return None  # another node that started at the same time was faster
        raise ValueError("an account with this address exists, and it is not one of staff; use another.") from None
    return generated


def has_superuser() -> bool:
    """Return whether there is an active superuser who can open the admin area."""
    return User.objects.filter(is_superuser=True, is_active=True, is_staff=True).exists()


def _restore(email: str, password: str) -> bool:
    """Make the account of staff with this address an active superuser with this password; return False without one.

    Raises ValidationError for a password that registration would not accept either.
    """
    of_staff = User.objects.filter(Q(is_staff=True) | Q(is_superuser=True), email=normalize_email(email))
    found = of_staff.select_for_update().first()
    if found is None or has_superuser():  # the latter: another node was faster, and has held the lock
        return found is not None
    validate_password(password, found)
    found.is_active = found.is_staff = found.is_superuser = True
    found.set_password(password)
    found.operator = COMMAND_LINE
    found.save()
    record_by(COMMAND_LINE, Event.USER_PRIVILEGES_CHANGED, user_id=found.pk, detail="superuser: restored")
    return True
