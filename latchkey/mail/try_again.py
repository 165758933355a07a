"""What an operator does to mails that wait."""

from collections.abc import Collection

from latchkey.core import clock
from latchkey.mail.models import Mail


def try_again(mail_ids: Collection[int]) -> int:
    """Have those of these mails that wait tried at once; return how many.

    What was sent, or given up, stays as it is: its contents are gone.
    """
    return Mail.objects.filter(pk__in=mail_ids, sent_at=None, given_up_at=None).update(next_attempt_at=clock.now())
