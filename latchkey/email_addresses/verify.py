"""E-mail verification: a user confirms that the address of the account is theirs, or an operator does.

Until then the address is a claim, and mails to it repeat nothing that the user wrote.
"""

from collections.abc import Collection

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, Operator, record, record_by
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidCode
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import Submitted, consume, lookup, request_code, send


def request_verification(email: str, client: ClientInfo, redirect_to: str = "") -> None:
    """Send the mail again if this normalized address is unverified, and do as much if not; raises TooManyAttempts."""
    unverified = User.objects.filter(email_verified_at=None)
    event = Event.EMAIL_VERIFICATION_REQUESTED
    request_code(email, Purpose.EMAIL_VERIFICATION, event, unverified, client, redirect_to=redirect_to)


@transaction.atomic
def send_verification(user_id: int, operator: Operator = COMMAND_LINE) -> bool:
    """Send the mail at an operator's request; return False where no such user is active and unverified."""
    user = User.objects.filter(pk=user_id, is_active=True, email_verified_at=None).first()
    if user is None:
        return False
    send(user, Purpose.EMAIL_VERIFICATION)
    record_by(operator, Event.EMAIL_VERIFICATION_REQUESTED, user_id=user.pk)
    return True


def verify_email(presented: Submitted, client: ClientInfo) -> None:
    """Mark the address as verified; raises InvalidCode or TooManyAttempts."""
    code = lookup(Purpose.EMAIL_VERIFICATION, presented, client)
    with transaction.atomic():
        consume(code)
        same_address = User.objects.filter(pk=code.user.pk, email=code.email)
        if not same_address.update(email_verified_at=clock.now()):
            raise InvalidCode  # the address was changed a moment ago
        record(Event.EMAIL_VERIFIED, client, user_id=code.user.pk)


@transaction.atomic
def mark_verified(user_ids: Collection[int], operator: Operator = COMMAND_LINE) -> int:
    """Mark the addresses of these users as verified at an operator's request; return how many were not."""
    unverified = User.objects.select_for_update(no_key=True).filter(pk__in=user_ids, email_verified_at=None)
    marked = list(unverified.order_by("pk").values_list("pk", flat=True))
    User.objects.filter(pk__in=marked).update(email_verified_at=clock.now())
    for user_id in marked:
        record_by(operator, Event.EMAIL_VERIFIED, user_id=user_id)
    return len(marked)


@transaction.atomic
def mark_unverified(user_ids: Collection[int], operator: Operator = COMMAND_LINE) -> int:
    """Mark the addresses of these users as unverified at an operator's request; return how many were verified."""
    verified = User.objects.select_for_update(no_key=True).filter(pk__in=user_ids, email_verified_at__isnull=False)
    marked = list(verified.order_by("pk").values_list("pk", flat=True))
    User.objects.filter(pk__in=marked).update(email_verified_at=None)
    for user_id in marked:
        record_by(operator, Event.EMAIL_UNVERIFIED, user_id=user_id)
    return len(marked)
