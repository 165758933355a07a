"""Confirm that the e-mail address of an account is the person's own."""

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.codes.ask import ask
from latchkey.codes.find import Presented, find
from latchkey.codes.purposes import Purpose
from latchkey.codes.spend import spend
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.core.errors import InvalidCode


def ask_for_verification(email: str, client: Client) -> None:
    """Post the mail again to this canonical address if it waits to be confirmed, telling nobody.

    Raises TooManyAttempts.
    """
    unverified = User.objects.filter(email_verified_at=None)
    ask(email, Purpose.EMAIL_VERIFICATION, Event.EMAIL_VERIFICATION_REQUESTED, unverified, client)


def verify_email(presented: Presented, client: Client) -> None:
    """Mark the address as confirmed; raises InvalidCode or TooManyAttempts."""
    code = find(Purpose.EMAIL_VERIFICATION, presented, client)
    with transaction.atomic():
        spend(code)
        same_address = User.objects.filter(pk=code.user.pk, email=code.email)
        if not same_address.update(email_verified_at=clock.now()):
            raise InvalidCode  # the address was changed this very moment
        record(Event.EMAIL_VERIFIED, client, user_id=code.user.pk)
