"""Pages of a recovery: one that starts it at sign-in, and two behind links in mails, to remove factors or to cancel."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from latchkey.accounts.models import User
from latchkey.conf.policy import current_policy
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import ApiError, InvalidTicket, RecoveryUnavailable
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import Submitted
from latchkey.email_codes.pages import OneTimeLinkPage
from latchkey.factor_recovery.cancel import cancel_by_link, find_recovery
from latchkey.factor_recovery.confirm import confirm_recovery, find_due_code
from latchkey.factor_recovery.reminders import is_possible
from latchkey.factor_recovery.request import request_recovery
from latchkey.sign_in.browser_steps import SignInStep, current_step
from latchkey.web.pages import HEADERS, EmailLinkPage, FormPage

AREA = "account"
"""The sign-in that a recovery can start from, by its name in browser_steps.py: not that of staff."""


class RequestRecoveryPage(FormPage):
    """/account/sign-in/recovery/: a button that starts a recovery, for who has given the password."""

    template_name = "latchkey/request_recovery.html"
    form_class = forms.Form
    shown_alone: ClassVar[tuple[type[ApiError], ...]] = (*FormPage.shown_alone, RecoveryUnavailable)
    step: SignInStep
    due_at: datetime | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        step = current_step(request, AREA)
        if step is None or step.secret:
            return HttpResponseRedirect(reverse("account-sign-in"), headers=HEADERS)
        self.step = step
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(days=current_policy().recovery_delay, due_at=self.due_at, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.render_page(200) if is_possible() else self.render_error(RecoveryUnavailable())

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Start the recovery; raises as `request_recovery` does."""
        self.due_at = request_recovery(self.step.ticket, client)

    def show_beside_form(self, form: Any, error: ApiError) -> HttpResponse:
        if isinstance(error, InvalidTicket):
            return HttpResponseRedirect(reverse("account-sign-in"), headers=HEADERS)
        return super().show_beside_form(form, error)


class RecoverFactorsPage(OneTimeLinkPage):
    """/recover-factors/?token=...: a button that removes all second factors of an account."""

    purpose = Purpose.FACTOR_RECOVERY
    template_name = "latchkey/recover_factors.html"

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return the account's address; raises InvalidCode or TooManyAttempts."""
        return {"email": find_due_code(Submitted(token), client).email}

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Remove the factors; raises InvalidCode or TooManyAttempts."""
        confirm_recovery(Submitted(fields["token"]), client)

    def is_done(self, owner: User) -> bool:
        return owner.second_factors == 0


class CancelRecoveryPage(EmailLinkPage):
    """/cancel-recovery/?token=...: a button that cancels a recovery. It needs no sign-in, which may be what is lost."""

    template_name = "latchkey/cancel_recovery.html"

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return the account's address, or that the recovery has ended; raises InvalidCode or TooManyAttempts."""
        recovery = find_recovery(token, client)
        return {"email": recovery.email, "due": recovery.due_at} if recovery else {"already": True}

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Cancel the recovery; raises InvalidCode or TooManyAttempts."""
        cancel_by_link(fields["token"], client)
