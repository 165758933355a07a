"""Actions on users in the admin area: on the selected users of the list, or on one user's page."""

from collections.abc import Callable
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from latchkey.accounts.admin_actions import deactivate, reactivate, reset_rate_limits, sign_out_everywhere
from latchkey.accounts.models import User
from latchkey.admin.operators import can_modify, operator_of
from latchkey.audit.log import Operator
from latchkey.core.exceptions import LastSuperuser
from latchkey.email_addresses.verify import mark_verified
from latchkey.passwords.reset import send_resets

ActionFunction: TypeAlias = Callable[[list[int], Operator], int]
ACTIONS = ("deactivate_users", "reactivate_users", "end_sessions", "reset_rate_limits", "send_reset_links", "verify")


class UserActions:
    """The actions of the list; the buttons on a user's page submit the same actions."""

    message_user: Callable[..., Any]

    @admin.action(description="Deactivate selected users and end their sessions", permissions=["change"])
    def deactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        """Deactivate the selected users except the operator, who would otherwise be locked out by "select all"."""
        return self._act(request, users, deactivate, "Deactivated", except_for=request.user.pk)

    @admin.action(description="Reactivate selected users", permissions=["change"])
    def reactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, users, reactivate, "Reactivated")

    @admin.action(description="End all sessions of selected users", permissions=["change"])
    def end_sessions(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, users, sign_out_everywhere, "Ended all sessions")

    @admin.action(description="Unlock selected users after failed sign-ins", permissions=["change"])
    def reset_rate_limits(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, users, reset_rate_limits, "Unlocked")

    @admin.action(description="Send a password reset mail to selected users", permissions=["change"])
    def send_reset_links(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        if settings.MAIL_SERVER is None:
            self.message_user(request, "No mail was sent: EMAIL_URL is not set.", messages.ERROR)
            return None
        return self._act(request, users, send_resets, "Sent a password reset mail")

    @admin.action(description="Mark the e-mail addresses of selected users as verified", permissions=["change"])
    def verify(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, users, mark_verified, "Marked as verified")

    def _act(
        self, request: HttpRequest, users: QuerySet[User], act: ActionFunction, done: str, except_for: int | None = None
    ) -> HttpResponse | None:
        """Run an action on the users whom the operator may change, record it in their history, and say how many."""
        changed = [user for user in users if can_modify(request, user) and user.pk != except_for]
        try:
            act([user.pk for user in changed], operator_of(request))
        except LastSuperuser as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return None
        LogEntry.objects.log_actions(str(request.user.pk), changed, CHANGE, change_message=f"{done}.")
        self.message_user(request, f"{done}: {len(changed)} of {len(users)} selected users.")
        if "back" in request.POST and len(users) == 1:
            return redirect("admin:latchkey_user_change", users[0].pk)
        return None
