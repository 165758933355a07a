"""What operators do to accounts: deactivate, reactivate, sign out everywhere, unlock.

Each is an audit event with the operator. Each takes effect at the next request, on every node, as it changes rows that
requests read anyway.
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models import F

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, Operator, record_by
from latchkey.rate_limits.attempts import reset_attempts
from latchkey.rate_limits.keys import SIGN_IN_ACTIONS


def deactivate(user_ids: Collection[int], operator: Operator = COMMAND_LINE) -> int:
    """Deactivate these users and end their sessions for good; return how many were active.

    Raises LastSuperuser, and deactivates nobody, if no active superuser would be left.
    """
    return _update(operator, Event.USER_DEACTIVATED, _select(user_ids, is_active=True), is_active=False)


def reactivate(user_ids: Collection[int], operator: Operator = COMMAND_LINE) -> int:
    """Let these users sign in again, while earlier sessions stay ended; return how many were inactive."""
    return _update(operator, Event.USER_REACTIVATED, _select(user_ids, is_active=False), is_active=True)


def sign_out_everywhere(user_ids: Collection[int], operator: Operator = COMMAND_LINE) -> int:
    """End every session of these users, in one statement however many there are; return the number of users."""
    return _update(operator, Event.USER_SIGNED_OUT_EVERYWHERE, user_ids)


def reset_rate_limits(user_ids: Collection[int], operator: Operator = COMMAND_LINE) -> int:
    """Unlock these accounts: wrong passwords and second factors are forgotten; return how many users."""
    for user in (users := User.objects.filter(pk__in=user_ids)):
        reset_attempts(user.email, SIGN_IN_ACTIONS)
        record_by(operator, Event.RATE_LIMIT_RESET, user_id=user.pk)
    return len(users)


def _select(user_ids: Collection[int], is_active: bool) -> list[int]:
    """Leave out users whom the change would not change: reactivating an active user must not end sessions."""
    return list(User.objects.filter(pk__in=user_ids, is_active=is_active).values_list("pk", flat=True))


@transaction.atomic
def _update(operator: Operator, event: Event, user_ids: Collection[int], **columns: bool) -> int:
    if event is Event.USER_DEACTIVATED:
        User.objects.keep_an_administrator(user_ids)
    changed = User.objects.filter(pk__in=user_ids).update(credential_version=F("credential_version") + 1, **columns)
    for user_id in user_ids:
        record_by(operator, event, user_id=user_id)
    return changed
