"""Have a link and a code sent that let somebody set a new password who does not know the present one.

Set a new password with what a mail brought.
"""

from collections.abc import Collection

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import admit
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.email_codes.issue import ask, send
from latchkey.email_codes.models import Code, Purpose
from latchkey.email_codes.redeem import Presented, find, spend
from latchkey.rate_limits.attempts import forgive


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


def confirm_reset(presented: Presented, new_password: str, client: Client) -> None:
    """Set the password, end every session, and let nobody in: they sign in with the new one.

    Who reads the mailbox has proven it, so the address counts as verified; whoever opened the account in another's name
    is out. Raises InvalidCode, TooManyAttempts, or a PasswordToo... refusal, which spends nothing.
    """
    code = find(Purpose.PASSWORD_RESET, presented, client)
    admit(new_password, code.user, "new_password")
    code.user.set_password(new_password)
    _store(code, code.user, client)


@transaction.atomic
def _store(code: Code, user: User, client: Client) -> None:
    """Spend the code and store the password, both or neither.

    Attempts first, then the user, then the code: rows are locked in the same order as everywhere else.
    """
    forgive(user.email)
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists()
    spend(code)
    user.acting = client
    user.email_verified_at = user.email_verified_at or clock.now()
    user.save(update_fields=["password", "email_verified_at"])
    record(Event.PASSWORD_RESET, client, user_id=user.pk)
