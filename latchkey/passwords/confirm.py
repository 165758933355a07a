"""Set a new password with what a mail brought."""

from django.db import transaction

from latchkey.accounts.admit import admit
from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.codes.find import Presented, find
from latchkey.codes.models import Code
from latchkey.codes.purposes import Purpose
from latchkey.codes.spend import spend
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.limits.attempts import forgive


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
