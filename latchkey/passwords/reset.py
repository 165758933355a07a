"""Password reset by e-mail: request a mail with a link and a code, then set a new password with one of the two.

Until then the current password keeps working. The answer to a request is the same for every address, so that it does
not show who has an account (email_codes/one_time_codes.py).
"""

from collections.abc import Collection

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import validate_new_password
from latchkey.api_keys.manage import revoke_own_keys
from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, Operator, record, record_by
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.email_codes.models import OneTimeCode, Purpose
from latchkey.email_codes.one_time_codes import Submitted, consume, lookup, request_code, send
from latchkey.rate_limits.attempts import reset_attempts


def request_reset(email: str, client: ClientInfo, redirect_to: str = "") -> None:
    """Send the mail if this normalized address has an active account, and do as much if not; raises TooManyAttempts."""
    request_code(
        email,
        Purpose.PASSWORD_RESET,
        Event.PASSWORD_RESET_REQUESTED,
        User.objects.all(),
        client,
        redirect_to=redirect_to,
    )


@transaction.atomic
def send_reset(user_id: int, operator: Operator = COMMAND_LINE) -> bool:
    """Send the mail at an operator's request; return False where there is no such user, or an inactive one."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return False
    send(user, Purpose.PASSWORD_RESET)
    record_by(operator, Event.PASSWORD_RESET_REQUESTED, user_id=user.pk)
    return True


def send_resets(user_ids: Collection[int], operator: Operator = COMMAND_LINE) -> int:
    """Send the mail to several users at an operator's request; return to how many."""
    return sum(send_reset(user_id, operator) for user_id in user_ids)


def confirm_reset(presented: Submitted, new_password: str, client: ClientInfo) -> None:
    """Set the new password and end every session; no session is opened, so people sign in with the new password.

    A person with access to the mailbox has proven it, so the address counts as verified, and whoever created the
    account with somebody else's address is out: with the sessions end the API keys. Raises InvalidCode,
    TooManyAttempts, or a PasswordToo... error, after which the link and the code are still valid.
    """
    code = lookup(Purpose.PASSWORD_RESET, presented, client)
    validate_new_password(new_password, code.user, "new_password")
    code.user.set_password(new_password)
    _store(code, code.user, client)


@transaction.atomic
def _store(code: OneTimeCode, user: User, client: ClientInfo) -> None:
    """Consume the code and store the password, both or neither; raises InvalidCode.

    Attempts first, then the user, then the code: rows are locked in the same order everywhere (no deadlock).
    """
    reset_attempts(user.email)
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists()
    consume(code)
    user.changed_by = client
    user.email_verified_at = user.email_verified_at or clock.now()
    user.save(update_fields=["password", "email_verified_at"])
    record(Event.PASSWORD_RESET, client, user_id=user.pk)
    revoke_own_keys(user.pk, client)
