"""What an operator does to accounts; each verb takes effect at the next request, on every node."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import F

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.rate_limits.attempts import reset_attempts


def deactivate(user_ids: Collection[int]) -> int:
    """Shut these users out and end their sessions for good; return how many were active."""
    return _update(Event.USER_DEACTIVATED, _select(user_ids, is_active=True), is_active=False)


def reactivate(user_ids: Collection[int]) -> int:
    """Let these users sign in again, sessions from before stay ended; return how many were inactive."""
    return _update(Event.USER_REACTIVATED, _select(user_ids, is_active=False), is_active=True)


def sign_out_everywhere(user_ids: Collection[int]) -> int:
    """End every session of these users, in one statement however many sessions there are; return how many users."""
    return _update(Event.USER_SIGNED_OUT_EVERYWHERE, user_ids)


def reset_rate_limits(user_ids: Collection[int]) -> int:
    """Let these users sign in again at once, however many attempts failed; return how many users."""
    for user in (users := User.objects.filter(pk__in=user_ids)):
        reset_attempts(user.email)
        record(Event.RATE_LIMIT_RESET, user_id=user.pk)
    return len(users)


def _select(user_ids: Collection[int], is_active: bool) -> list[int]:
    """Leave out whom the change would not change: reactivating an active user must not end sessions."""
    return list(User.objects.filter(pk__in=user_ids, is_active=is_active).values_list("pk", flat=True))


@transaction.atomic
def _update(event: Event, user_ids: Collection[int], **standing: bool) -> int:
    changed = User.objects.filter(pk__in=user_ids).update(credential_version=F("credential_version") + 1, **standing)
    for user_id in user_ids:
        record(event, user_id=user_id)
    return changed
