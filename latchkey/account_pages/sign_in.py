"""Sign-in to the account pages: e-mail address and password, then a second factor; and sign-out.

What the gate asks for after the password stands in the browser session (browser_steps.py), so the page of the second
factor can be loaded again.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from latchkey.account_pages.access import AREA, AccountPage, app_to_scan, sentence_for
from latchkey.account_pages.forms import (
    AddPasskeyForm,
    CodeForm,
    CredentialsForm,
    FactorForm,
    PasskeySignInForm,
    factor_answer,
)
from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.conf.policy import current_policy
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import (
    ApiError,
    EmailNotVerified,
    EnrolmentRequired,
    InvalidPasskey,
    InvalidTicket,
    SecondFactorRequired,
)
from latchkey.sign_in.browser_session import admit_browser
from latchkey.sign_in.browser_sign_in import sign_in_browser
from latchkey.sign_in.browser_steps import SignInStep, current_step, forget_step, keep_step
from latchkey.sign_in.enrolment import admit_with_totp
from latchkey.sign_in.passkey import admit_with_passkey
from latchkey.sign_in.passkey_enrolment import admit_with_new_passkey
from latchkey.sign_in.second_factor import admit_with_second_factor
from latchkey.tokens.authentication_methods import Proof

START_AGAIN = "That took too long, or there were too many wrong codes. Sign in again."


class SignInPage(AccountPage):
    """/account/sign-in/: the answer is the same for an unknown address and for a wrong password."""

    hashes_password = frozenset({"POST"})
    template_name = "latchkey/account/sign_in.html"
    form_class = CredentialsForm
    shown_alone = (*AccountPage.shown_alone, EmailNotVerified)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.next_page())
        return self.render_page(200)

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Sign in, or go on with what is missing; raises InvalidCredentials, EmailNotVerified or TooManyAttempts."""
        try:
            sign_in_browser(self.request, fields["email"], fields["password"])
        except SecondFactorRequired as required:
            keep_step(self.request, AREA, required)
            enrols = isinstance(required, EnrolmentRequired)
            return self.go("account-enrolment" if enrols else "account-second-factor", next=self.next_page())
        return HttpResponseRedirect(self.next_page())


class PasskeySignInPage(AccountPage):
    """/account/sign-in/passkey/: for the passkey form of the sign-in page, which also shows errors."""

    form_class = PasskeySignInForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.go("account-sign-in", next=self.next_page())

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Sign in; raises InvalidPasskey, InvalidTicket, EmailNotVerified or TooManyAttempts."""
        admit_with_passkey(fields["ticket"], fields["passkey"], client, partial(admit_to_account, self.request))
        return HttpResponseRedirect(self.next_page())

    def show_beside_form(self, form: Any, error: ApiError) -> HttpResponse:
        messages.error(self.request, sentence_for(error) or error.detail)
        return self.go("account-sign-in", next=self.next_page())

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.show_beside_form(form, InvalidPasskey())


def admit_to_account(request: HttpRequest, user: User, proof: Proof, consume: Callable[[], None]) -> None:
    """Sign the user in to this browser, in the transaction that uses up what was given."""
    admit_browser(request, user, proof, consume, Event.LOGIN_SUCCEEDED)


class SignInStepPage(AccountPage):
    """A page between the password and the browser session; without a step in the session there is nothing to do."""

    enrols: ClassVar[bool] = False
    """Whether the step is to set a factor up; otherwise it is to give one."""
    step: SignInStep

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        step = current_step(request, AREA)
        if step is None or bool(step.secret) is not self.enrols:
            return self.go("account-sign-in", next=self.next_page())
        self.step = step
        return super().dispatch(request, *args, **kwargs)

    def show_beside_form(self, form: Any, error: ApiError) -> HttpResponse:
        if not isinstance(error, InvalidTicket):
            return super().show_beside_form(form, error)
        forget_step(self.request)
        messages.error(self.request, START_AGAIN)
        return self.go("account-sign-in", next=self.next_page())


class SecondFactorPage(SignInStepPage):
    """/account/sign-in/second-factor/: a code or a recovery code, after the password."""

    template_name = "latchkey/account/second_factor.html"
    form_class = FactorForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        recovery_days = current_policy().recovery_delay if settings.MAIL_SERVER else 0
        return super().get_context_data(factors=self.step.factors, recovery_days=recovery_days, **kwargs)

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Sign in; raises InvalidFactorCode, InvalidTicket or TooManyAttempts."""
        gate = partial(admit_to_account, self.request)
        admit_with_second_factor(self.step.ticket, factor_answer(fields), client, gate)
        return HttpResponseRedirect(self.next_page())


class EnrolmentPage(SignInStepPage):
    """/account/sign-in/set-up/: an authenticator app, before the sign-in to an account that has to have a factor."""

    enrols = True
    template_name = "latchkey/account/enrolment.html"
    form_class = CodeForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**app_to_scan(self.step.secret, self.step.uri), **kwargs)

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Set the app up, sign in, and show the recovery codes; raises as SecondFactorPage does."""
        gate = partial(admit_to_account, self.request)
        _, codes = admit_with_totp(self.step.ticket, fields["code"], client, gate)
        return self.show_codes(codes)


class EnrolPasskeyPage(SignInStepPage):
    """/account/sign-in/set-up/passkey/: a passkey in place of the authenticator app."""

    enrols = True
    template_name = "latchkey/account/enrol_passkey.html"
    form_class = AddPasskeyForm

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Set the passkey up, sign in, and show the recovery codes; raises InvalidPasskey or InvalidTicket."""
        gate = partial(admit_to_account, self.request)
        _, codes = admit_with_new_passkey(self.step.ticket, fields["passkey"], fields["name"], client, gate)
        return self.show_codes(codes)


class SignOutPage(AccountPage):
    """/account/sign-out/: ends the browser session; the sessions of apps and devices go on."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.go("account-security")

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        logout(self.request)
        messages.success(self.request, "You are signed out.")
        return self.go("account-sign-in")
