"""Pages of the sign-in to the admin area: password, second factor, and enrolment where the policy demands a factor.

All of them end at the gate of sign_in. Django's own view would open a browser session with a password alone, and the
linter bans it everywhere else.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LoginView  # noqa: TID251 - form_valid is ours
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.views.generic import FormView

from latchkey.accounts.models import User
from latchkey.admin.factor_forms import CodeForm, FactorForm, NewPasskeyForm, choose_form, form_context
from latchkey.admin.reauthentication import safe_next
from latchkey.admin.sign_in_form import SignInForm
from latchkey.audit.events import Event
from latchkey.core.client import client_info
from latchkey.core.exceptions import (
    InvalidFactorCode,
    InvalidPasskey,
    InvalidTicket,
    SecondFactorRequired,
    TooManyAttempts,
)
from latchkey.factors import recovery_codes
from latchkey.factors.totp import qr_code_svg
from latchkey.rate_limits.attempts import refund
from latchkey.sign_in.browser_session import admit_browser
from latchkey.sign_in.browser_steps import SignInStep, current_step, forget_step, keep_step
from latchkey.sign_in.enrolment import admit_with_totp
from latchkey.sign_in.login import refund_if_we_fail
from latchkey.sign_in.passkey_enrolment import admit_with_new_passkey
from latchkey.sign_in.second_factor import admit_with_second_factor
from latchkey.tokens.authentication_methods import Proof

AREA = "admin"
CODES_LEFT = "You used a recovery code. Codes left: {}. Make new ones under Second factor, in the menu of your account."
START_AGAIN = "That took too long, or too many codes were wrong. Sign in again."


class SignInPage(LoginView):
    """/admin/login/: e-mail address and password, and with them alone no browser session for who has more to prove."""

    authentication_form = SignInForm
    template_name = "admin/login.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Admit the person, or go on with what the gate asks for."""
        try:
            with refund_if_we_fail(form.charged):
                admit(self.request, form.get_user(), Proof.PASSWORD, partial(refund, form.charged))
        except SecondFactorRequired as required:
            return self.go_on(required)
        return HttpResponseRedirect(self.get_success_url())

    def go_on(self, required: SecondFactorRequired) -> HttpResponse:
        """Lead to the page of what is missing; to this one again where the account changes at this moment."""
        query = urlencode({"next": safe_next(self.request, self.get_redirect_url())})
        try:
            step = keep_step(self.request, AREA, required)
        except InvalidTicket:
            messages.warning(self.request, START_AGAIN)
            return redirect(f"{reverse('admin:login')}?{query}")
        page = "admin:login_enrolment" if step.secret else "admin:login_second_factor"
        return redirect(f"{reverse(page)}?{query}")


class StepPage(FormView):  # type: ignore[type-arg]  # not generic at run time
    """A page that goes on with the sign-in of this browser; without one it leads to the sign-in page."""

    step: SignInStep
    enrols: ClassVar[bool]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        step = current_step(request, AREA)
        if step is None or bool(step.secret) is not self.enrols:
            return self.start_again() if request.method == "POST" else redirect(self.sign_in_page())
        self.step = step
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: FactorForm) -> HttpResponse:
        """Finish the sign-in; after a wrong code show the form again, and after too many start again."""
        try:
            return self.finish(form, partial(admit, self.request))
        except (InvalidFactorCode, InvalidPasskey, TooManyAttempts) as refusal:
            form.refuse(refusal)
            return self.form_invalid(form)
        except InvalidTicket:
            forget_step(self.request)
            return self.start_again()

    def finish(self, form: FactorForm, gate: Callable[[User, Proof, Callable[[], None]], None]) -> HttpResponse:
        """Open the browser session through the gate; raises what the use case does."""
        raise NotImplementedError

    def start_again(self) -> HttpResponse:
        """Lead to the sign-in page, which says why."""
        messages.warning(self.request, START_AGAIN)
        return redirect(self.sign_in_page())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**kwargs, "next": self.target(), "sign_in_page": self.sign_in_page()})

    def target(self) -> str:
        """Return the page that the person wanted."""
        return safe_next(self.request, self.request.POST.get("next") or self.request.GET.get("next", ""))

    def sign_in_page(self) -> str:
        return f"{reverse('admin:login')}?{urlencode({'next': self.target()})}"


class SecondFactorPage(StepPage):
    """/admin/login/second-factor/: a code of the authenticator app, a recovery code, or a passkey."""

    template_name = "latchkey/admin_second_factor.html"
    enrols = False

    def get_form_class(self) -> type[FactorForm]:
        return choose_form(self.request, self.step.factors)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        options = reverse("admin:login_second_factor_options")
        return {**context, **form_context(context["form"], self.step.factors), "passkey_options": options}

    def finish(self, form: FactorForm, gate: Callable[[User, Proof, Callable[[], None]], None]) -> HttpResponse:
        """Return to the wanted page, with a warning about a used recovery code."""
        admit_with_second_factor(self.step.ticket, form.answer, client_info(self.request.META), gate)
        if form.answer.recovery_code:
            left = recovery_codes.count(int(self.request.user.pk or 0))
            messages.warning(self.request, CODES_LEFT.format(left))
        return redirect(self.target())


class EnrolmentPage(StepPage):
    """/admin/login/enrolment/: an app or a passkey is set up, and its recovery codes are shown, this once."""

    template_name = "latchkey/admin_enrolment.html"
    enrols = True

    def get_form_class(self) -> type[FactorForm]:
        return NewPasskeyForm if "passkey" in self.request.POST else CodeForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        secret = self.step.secret
        groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
        qr_code = mark_safe(qr_code_svg(self.step.uri))  # noqa: S308 - drawn by the library, from a URI of ours
        offered = ["totp", "passkey"] if settings.PASSKEY_RP_ID else []
        options = reverse("admin:login_enrolment_options")
        context |= {**form_context(context["form"], offered or ["totp"]), "factors": offered, "links": {}}
        return {**context, "qr_code": qr_code, "groups": groups, "uri": self.step.uri, "passkey_options": options}

    def finish(self, form: FactorForm, gate: Callable[[User, Proof, Callable[[], None]], None]) -> HttpResponse:
        """Show the recovery codes: the browser is signed in."""
        client, ticket, answer = client_info(self.request.META), self.step.ticket, form.cleaned_data
        if isinstance(form, NewPasskeyForm):
            _, codes = admit_with_new_passkey(ticket, answer["passkey"], "", client, gate)
        else:
            _, codes = admit_with_totp(ticket, answer["code"], client, gate)
        shown = {**(self.extra_context or {}), "codes": codes, "next": self.target()}
        return TemplateResponse(self.request, "latchkey/admin_recovery_codes.html", shown)


def admit(request: HttpRequest, user: User, proof: Proof, consume: Callable[[], None]) -> None:
    """Open a browser session of the admin area; raises SecondFactorRequired for what is missing."""
    admit_browser(request, user, proof, consume, Event.ADMIN_LOGIN_SUCCEEDED)
