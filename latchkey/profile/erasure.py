"""Erasure of an account and of the personal data about it (GDPR article 17)."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Case, F, Q, When

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, persist, record_by
from latchkey.audit.models import AuditEvent
from latchkey.mail.models import Mail
from latchkey.mail.queue import waiting


@transaction.atomic
def erase(user: User, operator: Operator | None = None, **unchanged: Any) -> bool:
    """Delete the user if the row still has these values, and return whether it had; all of it is deleted, or nothing.

    Sessions, roles, links and codes, mails, groups and permissions are deleted with the account. Audit events stay for
    their time of retention, without IP address and user agent, so that an operator can still explain what happened to
    number 7; ids are never used again. An operator who deletes somebody else is recorded with the operator's address.
    Raises LastSuperuser if nobody would be left to run the service.
    """
    if user.is_superuser:  # one who becomes it only now has been made it by another, who is left
        User.objects.keep_an_administrator([user.pk])
    if not list(User.objects.select_for_update().filter(pk=user.pk, **unchanged).values_list("pk")):
        return False
    about, by = Q(user_id=user.pk), Q(actor_id=user.pk)
    still_pending = Case(When(about, then=False), default=F("notification_pending"))
    AuditEvent.objects.filter(about | by).update(ip=None, user_agent="", notification_pending=still_pending)
    Mail.objects.filter(user_id=user.pk).delete()  # after the events: mail.notices locks them, then writes mails
    waiting().filter(to_address=user.email).delete()
    if operator and operator.user_id != user.pk:
        record_by(operator, Event.USER_DELETED, user_id=user.pk)
    else:
        persist(Event.USER_DELETED, user_id=user.pk)
    about_users = LogEntry.objects.filter(content_type__app_label="latchkey", content_type__model="user")
    about_users.filter(object_id=str(user.pk)).update(object_repr=f"user {user.pk}")  # it was the e-mail address
    User.objects.filter(pk=user.pk).delete()
    return True
