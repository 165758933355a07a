"""Audit events of what an operator changed on a user's page: privileges, activity, display name.

A changed e-mail address and a new password have events of their own (email_addresses/change.py, accounts/models.py).
"""

from collections.abc import Iterator
from typing import Any

from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record_by
from latchkey.conf.durations import readable

PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")
"""Fields that only a superuser can change."""


def record_edits(form: Any, operator: Operator) -> None:
    """Record an event for each change of this saved form; a display name is personal data, and not in the event."""
    user = form.instance
    for what in changed_privileges(form):
        record_by(operator, Event.USER_PRIVILEGES_CHANGED, user_id=user.pk, detail=what)
    if "is_active" in form.changed_data:
        event = Event.USER_REACTIVATED if user.is_active else Event.USER_DEACTIVATED
        record_by(operator, event, user_id=user.pk)
    if "username" in form.changed_data:
        record_by(operator, Event.USER_DISPLAY_NAME_CHANGED, user_id=user.pk)


def changed_privileges(form: Any) -> Iterator[str]:
    """Yield a text for each changed privilege: "superuser: on", "groups: operators, support"."""
    for name in PRIVILEGES:
        if name not in form.changed_data:
            continue
        label = name.removeprefix("is_").replace("user_", "")
        value = form.cleaned_data[name]
        if isinstance(value, bool):
            yield f"{label}: {readable(value)}"
        else:
            yield f"{label}: {', '.join(short_name(each) for each in value) or 'none'}"


def short_name(granted: Any) -> str:
    """Return the name of a group, or the code name of a permission."""
    return str(getattr(granted, "codename", granted))
