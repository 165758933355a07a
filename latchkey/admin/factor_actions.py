"""Reset of second factors in the admin area, for who has lost theirs: an action with a permission of its own."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminTextInputWidget

from latchkey.accounts.models import User
from latchkey.admin.operators import can_modify, operator_of
from latchkey.audit.events import DETAIL_LENGTH
from latchkey.audit.log import Operator
from latchkey.factors.reset import clean_reason, reset_second_factors

RESET = "reset_second_factor"
"""The action, and the code name of its permission."""

NOBODY = "None of them has a second factor that you can reset."


def may_reset(request: HttpRequest, user: User | None = None) -> bool:
    """Return whether the operator may reset the second factors of this user, None: of some users.

    Only a superuser resets those of other staff. Nobody resets their own: the factor itself allows to remove it.
    """
    allowed = request.user.has_perm(f"latchkey.{RESET}")
    return allowed and (user is None or (user.pk != request.user.pk and can_modify(request, user)))


class ReasonForm(forms.Form):
    """Why second factors are reset."""

    reason = forms.CharField(
        max_length=DETAIL_LENGTH,
        help_text="For the audit log: how you know that it is this person. No names and no e-mail addresses.",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "autofocus": True}),
    )

    def __init__(self, operator: Operator, *args: Any) -> None:
        super().__init__(*args)
        self.operator = operator

    def clean_reason(self) -> str:
        """Return the reason as it is stored; raises ValidationError."""
        try:
            return clean_reason(self.cleaned_data["reason"], self.operator)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class FactorActions:
    """The action of the list of users, which the button on a user's page submits, too."""

    message_user: Callable[..., Any]
    _confirmed: Callable[..., HttpResponse | None]
    _act: Callable[..., HttpResponse | None]

    def has_reset_second_factor_permission(self, request: HttpRequest) -> bool:
        """Return whether the action is offered; Django finds this method by its name."""
        return may_reset(request)

    @admin.action(description="Reset the second factor of selected users", permissions=[RESET])
    def reset_second_factor(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        """Delete all second factors of the selected users, after a confirmation with a reason."""
        users = users.filter(second_factors__gt=0)
        if not any(may_reset(request, user) for user in users):
            self.message_user(request, NOBODY, messages.WARNING)
            return None
        form = ReasonForm(operator_of(request), request.POST if request.POST.get("post") == "yes" else None)
        consequence = (
            "Authenticator app, passkeys and recovery codes are deleted, and every device is signed out. From then on "
            "the password signs in alone. A mail says so."
        )
        if asked := self._confirmed(request, users, "Reset the second factor of", consequence, request.user.pk, form):
            return asked
        act = partial(_reset, reason=form.cleaned_data["reason"])
        return self._act(request, users, act, "Reset the second factor", except_for=request.user.pk)


def _reset(user_ids: list[int], operator: Operator, reason: str) -> int:
    return reset_second_factors(user_ids, reason, operator)
