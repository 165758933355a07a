"""latchkey demo: a superuser with a password that everybody knows, for trying things out."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from latchkey.accounts.models import User

EMAIL, PASSWORD = "admin@amin.com", "123Qwe123"  # the point of the command; refused in production


class Command(BaseCommand):
    help = f"Make the superuser {EMAIL} / {PASSWORD} for trying things out. Refuses in production."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise ImproperlyConfigured(
                "'latchkey demo' makes a user with a known password; it does not run in production."
            )
        user = User.objects.filter(email=EMAIL).first() or User(email=EMAIL)
        user.is_active = user.is_staff = user.is_superuser = True
        user.set_password(PASSWORD)
        user.save()
        self.stdout.write(f"Sign in at /admin/ with {EMAIL} and {PASSWORD}.")
