"""Actions on users in the admin area: on the selected users of the list, or on one user's page.

Those that sign people out ask first, on a page that names whom.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from latchkey.accounts.admin_actions import deactivate, reactivate, reset_rate_limits, sign_out_everywhere
from latchkey.accounts.models import User
from latchkey.admin.operators import can_modify, operator_of
from latchkey.audit.log import Operator
from latchkey.core.exceptions import LastSuperuser
from latchkey.email_addresses.verify import mark_verified
from latchkey.passwords.reset import send_resets

ActionFunction: TypeAlias = Callable[[list[int], Operator], int]
SHOWN_NAMES = 20
"""Users whom a confirmation page names; of the others it has the number."""

ACTIONS = ("deactivate_users", "reactivate_users", "end_sessions", "reset_rate_limits", "send_reset_links", "verify")


class UserActions:
    """The actions of the list; the buttons on a user's page submit the same actions."""

    message_user: Callable[..., Any]
    admin_site: Any

    @admin.action(description="Deactivate selected users and end their sessions", permissions=["change"])
    def deactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        """Deactivate the selected users except the operator, who would otherwise be locked out by "select all"."""
        consequence = "They are signed out on every device, and cannot sign in until they are reactivated."
        return self._confirmed(request, users, "Deactivate", consequence, request.user.pk) or self._act(
            request, users, deactivate, "Deactivated", except_for=request.user.pk
        )

    @admin.action(description="Reactivate selected users", permissions=["change"])
    def reactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, users, reactivate, "Reactivated")

    @admin.action(description="End all sessions of selected users", permissions=["change"])
    def end_sessions(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        """End all sessions of the selected users, after a confirmation."""
        consequence = "They are signed out on every device at once."
        return self._confirmed(request, users, "End all sessions of", consequence) or self._act(
            request, users, sign_out_everywhere, "Ended all sessions"
        )

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

    def _confirmed(  # noqa: PLR0913, PLR0917  # all that the page shows
        self,
        request: HttpRequest,
        users: QuerySet[User],
        verb: str,
        consequence: str,
        except_for: int | None = None,
        form: Form | None = None,
        variant: str = "danger",
    ) -> HttpResponse | None:
        """Return the page that names whom the action is about, or None if it was confirmed there, with a valid form."""
        if request.POST.get("post") == "yes" and (form is None or form.is_valid()):
            return None
        concerned = [user for user in users[: SHOWN_NAMES + 1] if can_modify(request, user) and user.pk != except_for]
        total, seen = users.count(), len(users[: SHOWN_NAMES + 1])
        whom = concerned[0].email if len(concerned) == total == 1 else f"these {total - seen + len(concerned)} users"
        kept = ("action", "_selected_action", "select_across", "index", "back")
        shown = {
            **self.admin_site.each_context(request),
            "title": verb.removesuffix(" of").removesuffix(" to"),
            "question": f"{verb} {whom}?",
            "consequence": consequence,
            "named": concerned[:SHOWN_NAMES],
            "more": max(0, total - seen + len(concerned) - SHOWN_NAMES),
            "left_out": seen - len(concerned),
            "form": form,
            "variant": variant,
            "fields": [(name, value) for name in kept for value in request.POST.getlist(name)] + [("post", "yes")],
            "back": reverse("admin:latchkey_user_change", args=[users[0].pk])
            if "back" in request.POST and total == 1
            else request.get_full_path(),
        }
        return TemplateResponse(request, "latchkey/confirm_action.html", shown)

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
