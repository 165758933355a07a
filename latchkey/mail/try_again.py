"""What an operator does to mails that wait."""

from collections.abc import Collection

from django.db import transaction

from latchkey.core import clock
from latchkey.mail.bell import BELL
from latchkey.mail.models import Mail
from latchkey.mail.taking import lease


def try_again(mail_ids: Collection[int]) -> int:
    """Have those of these mails that wait tried at once; return how many.

    One that is due within a lease may be in a courier's hands, and would be sent twice: it is left to its time, which
    is minutes away. What was sent, or given up, stays as it is, as its contents are gone.
    """
    now = clock.now()
    waiting = Mail.objects.filter(pk__in=mail_ids, sent_at=None, given_up_at=None, next_attempt_at__gt=now + lease())
    changed = waiting.update(next_attempt_at=now)
    transaction.on_commit(BELL.set)
    return changed
