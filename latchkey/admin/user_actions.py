"""What an operator can do to users, one or many at a time."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from latchkey.accounts.admin_actions import deactivate, reactivate, reset_rate_limits, sign_out_everywhere
from latchkey.accounts.models import User
from latchkey.core.client import ClientInfo
from latchkey.email_addresses.verify import mark_verified
from latchkey.passwords.reset import send_resets

ActionFunction: TypeAlias = Callable[[list[int]], int]
ACTIONS = ("deactivate_users", "reactivate_users", "end_sessions", "reset_rate_limits", "send_reset_links", "verify")


def can_modify(request: HttpRequest, obj: User | None) -> bool:
    """Tell whether they may change this user: only a superuser touches other staff, whose rights a password lends."""
    own = obj is not None and obj.pk == request.user.pk
    return obj is None or bool(request.user.is_superuser) or not (obj.is_superuser or (obj.is_staff and not own))


class UserActions:
    """The actions of the list; the buttons of a user's page press the same."""

    message_user: Callable[..., Any]

    @admin.action(description="Deactivate selected users and end their sessions", permissions=["change"])
    def deactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        """Deactivate, sparing whoever asks: nobody locks themselves out by selecting all."""
        return self._act(request, users, deactivate, "Deactivated", spared=request.user.pk)

    @admin.action(description="Reactivate selected users", permissions=["change"])
    def reactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, users, reactivate, "Reactivated")

    @admin.action(description="End all sessions of selected users", permissions=["change"])
    def end_sessions(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, users, sign_out_everywhere, "Ended all sessions")

    @admin.action(description="Let selected users try again at once after failed sign-ins", permissions=["change"])
    def reset_rate_limits(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, users, reset_rate_limits, "Lifted waits")

    @admin.action(description="Send selected users a mail that sets a new password", permissions=["change"])
    def send_reset_links(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        """Send them; the user sees these events, and is not shown where an operator sits."""
        return self._act(request, users, partial(send_resets, client=ClientInfo()), "Sent a reset")

    @admin.action(description="Mark the addresses of selected users as verified", permissions=["change"])
    def verify(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, users, mark_verified, "Marked as verified")

    def _act(
        self, request: HttpRequest, users: QuerySet[User], verb: ActionFunction, done: str, spared: int | None = None
    ) -> HttpResponse | None:
        """Do it to those whom the caller may touch, say to how many, and write it into their history."""
        touched = [user for user in users if can_modify(request, user) and user.pk != spared]
        verb([user.pk for user in touched])
        LogEntry.objects.log_actions(str(request.user.pk), touched, CHANGE, change_message=f"{done}.")
        self.message_user(request, f"{done}: {len(touched)} of {len(users)} selected.")
        if "back" in request.POST and len(users) == 1:
            return redirect("admin:latchkey_user_change", users[0].pk)
        return None
