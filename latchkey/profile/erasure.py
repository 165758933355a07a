"""Delete an account, and what is held about the person."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import QuerySet

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import persist
from latchkey.audit.models import AuditEvent
from latchkey.core.exceptions import LastSuperuser
from latchkey.mail.models import Mail


@transaction.atomic
def erase(user: User, **unchanged: Any) -> bool:
    """Delete the user, if they still have these values; return whether that was so. All of it goes, or nothing does.

    Sessions, links and codes, mails, groups and permissions go with the account. Events stay for as long as events are
    kept, without address and user agent, so that an operator can still explain what happened to number 7; ids are never
    given again. Raises LastSuperuser where nobody would be left to run the service.
    """
    locked = User.objects.select_for_update().order_by("pk")  # in this order: of two who leave at once, one waits
    if is_last_superuser(user, locked):
        raise LastSuperuser
    if not list(locked.filter(pk=user.pk, **unchanged).values_list("pk")):
        return False
    AuditEvent.objects.filter(user_id=user.pk).update(ip=None, user_agent="", notification_pending=False)
    Mail.objects.filter(user_id=user.pk).delete()  # after the events, which whoever writes mails about them holds
    Mail.objects.filter(to_address=user.email, sent_at=None, failed_at=None).delete()
    persist(Event.USER_DELETED, user_id=user.pk)
    of_users = LogEntry.objects.filter(content_type__app_label="latchkey", content_type__model="user")
    of_users.filter(object_id=str(user.pk)).update(object_repr=f"user {user.pk}")  # it was the e-mail address
    User.objects.filter(pk=user.pk).delete()
    return True


def is_last_superuser(user: User, among: QuerySet[User] | None = None) -> bool:
    """Tell whether this user alone can run the service."""
    superusers = (User.objects.all() if among is None else among).filter(is_superuser=True, is_active=True)
    return user.is_superuser and set(superusers.values_list("pk", flat=True)) == {user.pk}
