"""Have a link and a code sent that let somebody set a new password who does not know the present one.

Set a new password with what a mail brought.
"""

from collections.abc import Collection

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import validate_new_password
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.email_codes.issue import request_code, send
from latchkey.email_codes.models import OneTimeCode, Purpose
from latchkey.email_codes.redeem import Submitted, consume, lookup
from latchkey.rate_limits.attempts import reset_attempts


def request_reset(email: str, client: ClientInfo) -> None:
    """Post the mail to this canonical address if it has an active account, telling nobody; raises TooManyAttempts.

    The present password goes on working: nothing of the account changes until somebody shows what was sent.
    """
    request_code(email, Purpose.PASSWORD_RESET, Event.PASSWORD_RESET_REQUESTED, User.objects.all(), client)


@transaction.atomic
def send_reset(user_id: int, client: ClientInfo) -> bool:
    """Post the mail to this user because an operator says so; return whether there is one, and active."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return False
    send(user, Purpose.PASSWORD_RESET)
    record(Event.PASSWORD_RESET_REQUESTED, client, user_id=user.pk, reason="operator")
    return True


def send_resets(user_ids: Collection[int], client: ClientInfo) -> int:
    """Post the mail to several users; return to how many."""
    return sum(send_reset(user_id, client) for user_id in user_ids)


def confirm_reset(presented: Submitted, new_password: str, client: ClientInfo) -> None:
    """Set the password, end every session, and let nobody in: they sign in with the new one.

    Who reads the mailbox has proven it, so the address counts as verified; whoever opened the account in another's name
    is out. Raises InvalidCode, TooManyAttempts, or a PasswordToo... refusal, which spends nothing.
    """
    code = lookup(Purpose.PASSWORD_RESET, presented, client)
    validate_new_password(new_password, code.user, "new_password")
    code.user.set_password(new_password)
    _store(code, code.user, client)


@transaction.atomic
def _store(code: OneTimeCode, user: User, client: ClientInfo) -> None:
    """Spend the code and store the password, both or neither.

    Attempts first, then the user, then the code: rows are locked in the same order as everywhere else.
    """
    reset_attempts(user.email)
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists()
    consume(code)
    user.changed_by = client
    user.email_verified_at = user.email_verified_at or clock.now()
    user.save(update_fields=["password", "email_verified_at"])
    record(Event.PASSWORD_RESET, client, user_id=user.pk)
