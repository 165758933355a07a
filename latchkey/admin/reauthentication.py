"""Reauthentication in the admin area: every change asks who is there, unless the operator proved it within 10 minutes.

A stolen cookie lasts for hours, and must not be enough to take an account over or to make a superuser (ASVS 7.5.1). An
operator with a second factor gives that one: the password may be what was stolen. Reading pages asks for nothing.
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.widgets import UnfoldAdminPasswordWidget

from latchkey.accounts import reauthentication
from latchkey.accounts.models import User
from latchkey.admin.factor_forms import FactorForm, choose_form, retry_message
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidTicket, TooManyAttempts, WrongPassword
from latchkey.rate_limits.attempts import refund
from latchkey.sign_in.browser_session import browser_authentication
from latchkey.sign_in.browser_sign_in import step_up_browser
from latchkey.sign_in.factor_checks import FactorAnswer
from latchkey.sign_in.step_up import STEP_UP_ERRORS

MAX_AGE_SECONDS = 10 * 60
"""Seconds for which a proof counts for further changes."""

EXEMPT = frozenset({"logout", "reauthenticate"})
"""Names of the routes that take a POST without a recent proof: the first changes nothing, the other asks for it."""

NOT_SAVED = "Nothing was changed yet: confirm that it is you, then make the change again."


def has_recent_proof(request: HttpRequest) -> bool:
    """Return whether the operator proved something in this browser session within the last 10 minutes.

    What has to be proved is no question here: Site.has_permission lets no other session in.
    """
    age = clock.now().timestamp() - browser_authentication(request).authenticated_at
    return 0 <= age < MAX_AGE_SECONDS


def is_exempt(request: HttpRequest) -> bool:
    """Return whether the page takes a POST without a recent proof: a new password asks for the old one itself.

    That is the proof of who has no second factor, and of nobody else.
    """
    route = request.resolver_match.url_name if request.resolver_match else None
    return route in EXEMPT or (route == "password_change" and not cast("User", request.user).second_factors)


def require_reauthentication(view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a view: a change without a recent proof is redirected to the page that asks for it, and not made."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method in ("GET", "HEAD", "OPTIONS") or is_exempt(request) or has_recent_proof(request):
            return view(request, *args, **kwargs)
        messages.warning(request, NOT_SAVED)
        return redirect(f"{reverse('admin:reauthenticate')}?{urlencode({'next': page_of_form(request)})}")

    return wrapper


def page_of_form(request: HttpRequest) -> str:
    """Return the admin page that the form was submitted on: buttons on a user's page submit actions of the list."""
    referrer = urlsplit(request.headers.get("Referer", ""))
    if referrer.netloc == request.get_host():
        return safe_next(request, referrer._replace(scheme="", netloc="", fragment="").geturl())
    return request.get_full_path()


def safe_next(request: HttpRequest, target: str) -> str:
    """Return the target if it is a page of this admin area, else the dashboard."""
    index = reverse("admin:index")
    hosts, secure = {request.get_host()}, request.is_secure()
    inside = urlsplit(target).path.startswith(index) and not urlsplit(target).netloc
    return target if inside and url_has_allowed_host_and_scheme(target, hosts, secure) else index


def check_password_again(user: User, password: str, client: ClientInfo) -> None:
    """Check the password under the same limits on attempts as a sign-in; raises ValidationError with a sentence."""
    try:
        refund(reauthentication.reauthenticate(user, password, client))
    except WrongPassword as refusal:
        raise ValidationError(refusal.detail, code=refusal.code) from refusal
    except TooManyAttempts as refusal:
        raise ValidationError(retry_message(refusal), code=refusal.code) from refusal


class PasswordForm(FactorForm):
    """The operator's password, before a change."""

    password = forms.CharField(
        strip=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True})
    )
    wrong = WrongPassword.detail

    @property
    def answer(self) -> FactorAnswer:
        """Nothing: an account that gives its password has no second factor."""
        return FactorAnswer()


def build_form(request: HttpRequest, factors: Collection[str]) -> FactorForm:
    """Return the form for one of these factors, or for the password where there are none."""
    form_class = choose_form(request, factors) if factors else PasswordForm
    return form_class(request.POST or None)


def reauthenticate(request: HttpRequest, form: FactorForm) -> bool:
    """Check what was given under the limits of a sign-in, and note it in the browser session, which has a new id then.

    Returns False for what was refused; the form says why.
    """
    password, ticket = (form.cleaned_data.get(name, "") for name in ("password", "ticket"))
    try:
        step_up_browser(request, cast("User", request.user), password, form.answer, ticket)
    except (*STEP_UP_ERRORS, InvalidTicket, TooManyAttempts) as refusal:
        form.refuse(refusal)
        return False
    return True
