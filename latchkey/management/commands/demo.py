"""`latchkey demo`: create a superuser with a known password, to try Latchkey out. It refuses in production."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, record_by
from latchkey.management.options import OPTIONS

EMAIL, PASSWORD = "admin@amin.com", "123Qwe123"  # the point of the command; refused in production


class Command(BaseCommand):
    help = OPTIONS["demo"].help

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the superuser, or reset its password and rights; raises ImproperlyConfigured in production."""
        if settings.PRODUCTION:
            raise ImproperlyConfigured(
                "'latchkey demo' creates a user with a known password; it does not run in production."
            )
        user = User.objects.filter(email=EMAIL).first() or User(email=EMAIL)
        event = Event.USER_REGISTERED if user._state.adding else Event.USER_PRIVILEGES_CHANGED
        user.operator = COMMAND_LINE
        user.is_active = user.is_staff = user.is_superuser = True
        user.set_password(PASSWORD)
        user.save()
        record_by(COMMAND_LINE, event, user_id=user.pk, detail="superuser")
        self.stdout.write(f"Sign in at /admin/ with {EMAIL} and {PASSWORD}.")
