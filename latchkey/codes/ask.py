"""Have a mail sent to whom an address belongs, without telling whoever asks whether it belongs to anybody."""

from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.codes.purposes import Purpose
from latchkey.codes.send import send
from latchkey.core.client import Client
from latchkey.limits.attempts import charge
from latchkey.limits.subjects import mailing

NOBODY = -1
"""An id that no user has."""


def ask(email: str, purpose: Purpose, event: Event, whose: QuerySet[User], client: Client) -> None:
    """Post a mail to the one of these users who has this canonical address; raises TooManyAttempts.

    The same is done for an address that is nobody's, and taken back: the same statements, the same locks and one
    commit, so that neither the answer, nor its time, nor another request beside it tells who has an account.
    """
    with transaction.atomic():
        charge(mailing(email, client), client)
        user = whose.filter(email=email, is_active=True).first()
        send_or_pretend(user, lambda somebody: send(somebody, purpose), email)
        record(event, client, user_id=user.pk if user else None)


def send_or_pretend(user: User | None, send_to: Callable[[User], None], email: str) -> None:
    """Do it for the user; where there is none do it for nobody and take that back, in the transaction around.

    Savepoints by hand: an atomic block takes one statement to end well, and two to be taken back.
    """
    start = transaction.savepoint()
    send_to(user or User(pk=NOBODY, email=email))
    end = transaction.savepoint_commit if user else transaction.savepoint_rollback
    end(start)
