"""Have a link and a code sent that let somebody set a new password who does not know the present one."""

from collections.abc import Collection

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.codes.ask import ask
from latchkey.codes.purposes import Purpose
from latchkey.codes.send import send
from latchkey.core.client import Client


def ask_for_reset(email: str, client: Client) -> None:
    """Post the mail to this canonical address if it has an active account, telling nobody; raises TooManyAttempts.

    The present password goes on working: nothing of the account changes until somebody shows what was sent.
    """
    ask(email, Purpose.PASSWORD_RESET, Event.PASSWORD_RESET_REQUESTED, User.objects.all(), client)


@transaction.atomic
def send_reset(user_id: int, client: Client) -> bool:
    """Post the mail to this user because an operator says so; return whether there is one, and active."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return False
    send(user, Purpose.PASSWORD_RESET)
    record(Event.PASSWORD_RESET_REQUESTED, client, user_id=user.pk, reason="operator")
    return True


def send_resets(user_ids: Collection[int], client: Client) -> int:
    """Post the mail to several users; return to how many."""
    return sum(send_reset(user_id, client) for user_id in user_ids)
