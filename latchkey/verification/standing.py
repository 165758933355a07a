"""What an operator says of addresses."""

from collections.abc import Collection

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock


@transaction.atomic
def mark_verified(user_ids: Collection[int]) -> int:
    """Take the addresses of these users as confirmed; return how many were not."""
    unverified = User.objects.select_for_update(no_key=True).filter(pk__in=user_ids, email_verified_at=None)
    marked = list(unverified.order_by("pk").values_list("pk", flat=True))
    User.objects.filter(pk__in=marked).update(email_verified_at=clock.now())
    for user_id in marked:
        record(Event.EMAIL_VERIFIED, user_id=user_id, reason="operator")
    return len(marked)
