"""Reauthentication in the admin area: every change asks for the operator's password, unless given within 10 minutes.

A stolen cookie lasts for hours, and must not be enough to take an account over or to make a superuser (ASVS 7.5.1).
Reading pages asks for nothing.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.widgets import UnfoldAdminPasswordWidget

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import reauthenticate
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import TooManyAttempts, WrongPassword
from latchkey.rate_limits.attempts import refund

MAX_AGE_SECONDS = 10 * 60
"""Seconds for which a password that was given counts for further changes."""

SESSION_ENTRY = "reauthentication"
"""Name in the browser session: when the operator proved to be there, and how."""

EXEMPT = frozenset({"logout", "password_change", "reauthenticate"})
"""Names of the routes that take a POST without a recent password: the first changes nothing, the others ask for it."""

NOT_SAVED = "Nothing was changed yet: enter your password, then make the change again."


def remember_password(request: HttpRequest) -> None:
    """Note in the browser session that the operator has just given the password."""
    request.session[SESSION_ENTRY] = {"at": int(clock.now().timestamp()), "proof": "password"}


def has_recent_password(request: HttpRequest) -> bool:
    """Return whether the operator gave the password in this browser session within the last 10 minutes."""
    given = request.session.get(SESSION_ENTRY)
    at = given.get("at") if isinstance(given, dict) else None
    return isinstance(at, int) and 0 <= clock.now().timestamp() - at < MAX_AGE_SECONDS


def require_recent_password(view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a view: a change without a recent password is redirected to the page that asks for it, and not made."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        route = request.resolver_match.url_name if request.resolver_match else None
        if request.method in ("GET", "HEAD", "OPTIONS") or route in EXEMPT or has_recent_password(request):
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
        refund(reauthenticate(user, password, client))
    except WrongPassword as refusal:
        raise ValidationError(refusal.detail, code=refusal.code) from refusal
    except TooManyAttempts as refusal:
        raise ValidationError(retry_message(refusal), code=refusal.code) from refusal


def retry_message(refusal: TooManyAttempts) -> str:
    """Return the message after too many attempts, with the time to wait."""
    return f"Too many attempts. Try again in {refusal.headers['Retry-After']} seconds."


class ReauthenticationForm(forms.Form):
    """The operator's password, before a change."""

    password = forms.CharField(
        strip=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True})
    )

    def __init__(self, user: User, client: ClientInfo, *args: Any) -> None:
        super().__init__(*args)
        self.user, self.client = user, client

    def clean_password(self) -> str:
        """Check the password; raises ValidationError."""
        password: str = self.cleaned_data["password"]
        check_password_again(self.user, password, self.client)
        return password


def done(request: HttpRequest) -> HttpResponse:
    """Note the password in a new browser session id, and return to the page where the change was tried."""
    request.session.cycle_key()
    remember_password(request)
    return redirect(safe_next(request, request.POST.get("next", "")))
