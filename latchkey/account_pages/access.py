"""What all account pages share: who may open them, what a change asks for, and where a form leads.

A page is for whoever is signed in to this browser. One that changes a factor also asks for a recent proof, as the
endpoints do; `confirm.py` is where it is given.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from latchkey.accounts.models import User
from latchkey.core.exceptions import (
    ApiError,
    InvalidPasskey,
    InvalidTicket,
    InvalidToken,
    ServiceUnavailable,
    StepUpRequired,
    TooManyAttempts,
)
from latchkey.factors.own_factors import Caller
from latchkey.factors.recent_proof import require_recent_proof
from latchkey.factors.totp import qr_code_svg
from latchkey.sign_in.browser_session import browser_authentication, keep_browser_session
from latchkey.tokens.authentication_methods import Proof
from latchkey.web.next_page import page_below
from latchkey.web.pages import HEADERS, FormPage

AREA = "account"
"""Name of this area to browser_steps.py, and of the page that it begins with."""

SENTENCES: Mapping[type[ApiError], str] = {
    InvalidTicket: "That took too long. Try again.",
    InvalidPasskey: "The passkey was not accepted. Try again, or choose another way.",
    StepUpRequired: "This takes your second factor, given in the last ten minutes.",
}
"""What the pages say of an error where the words of the API would not help a person."""


class ButtonForm(forms.Form):
    """The form of a page that asks for nothing but a press of its button."""


class AccountPage(FormPage):
    """A page of the account area, whose `answer` mostly leads to another page."""

    form_class: Any = ButtonForm
    shown_alone: ClassVar[tuple[type[ApiError], ...]] = (ServiceUnavailable,)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.next_page(), **self._settings(), **kwargs)

    def _settings(self) -> dict[str, bool]:
        """Return what this service has: a mail server, and a domain for passkeys."""
        return {"mail_server": settings.MAIL_SERVER is not None, "has_passkeys": bool(settings.PASSKEY_RP_ID)}

    def show_beside_form(self, form: Any, error: ApiError) -> HttpResponse:
        if not (sentence := sentence_for(error)):
            return super().show_beside_form(form, error)
        form.add_error(None, sentence)
        response = self.render_page(error.status, form=form)
        for name, value in error.headers.items():
            response.headers[name] = value
        return response

    def next_page(self) -> str:
        """Return the account page that this one leads to: the `next` of the request, or the first page."""
        sent = self.request.POST if self.request.method == "POST" else self.request.GET
        return page_below(self.request, sent.get("next", ""), reverse(AREA))

    def go(self, name: str, **arguments: Any) -> HttpResponse:
        """Redirect to the page of this name; `next` is where it leads afterwards."""
        return HttpResponseRedirect(link(name, **arguments), headers=HEADERS)

    def done(self, sentence: str) -> HttpResponse:
        """Redirect to the overview, which says what was done."""
        messages.success(self.request, sentence)
        return self.go("account-security")

    def show_codes(self, codes: list[str], is_new_factor: bool = False) -> HttpResponse:
        """Return the page with new recovery codes, which nothing shows again."""
        self.template_name = "latchkey/account/codes.html"
        return self.render_page(200, codes=codes, is_new_factor=is_new_factor)


class SignedInPage(AccountPage):
    """An account page for whoever is signed in to this browser; anybody else signs in first."""

    needs_recent_proof: ClassVar[bool] = True
    """Whether the page is about a change, for which a password or a second factor of the last minutes is asked."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.missing = self.find_missing()
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.missing or self.render_page(200)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.missing or super().post(request, *args, **kwargs)

    def show_beside_form(self, form: Any, error: ApiError) -> HttpResponse:
        if isinstance(error, InvalidToken):  # another change was faster, and has ended this session
            return self.go("account-sign-in", next=self.request.path)
        return super().show_beside_form(form, error)

    @property
    def user(self) -> User:
        """The user who is signed in to this browser."""
        return cast("User", self.request.user)

    @property
    def caller(self) -> Caller:
        """The user, and what the browser session has proved, as the use cases of factors want it."""
        return Caller(self.user.pk, None, browser_authentication(self.request))

    def keep_signed_in(self, proof: Proof = Proof.NONE) -> None:
        """Keep this browser signed in after a change of factors, which has ended all sessions.

        Each change raises the version by one. If another has raised it further meanwhile, this session has ended, too.
        """
        self.user.credential_version += 1
        with transaction.atomic():
            keep_browser_session(self.request, self.user, proof)

    def find_missing(self) -> HttpResponse | None:
        """Return the redirect to what is missing: a sign-in, or a recent proof; None if nothing is."""
        if not self.request.user.is_authenticated:
            return self.go("account-sign-in", next=self.request.path)
        try:
            if self.needs_recent_proof:
                require_recent_proof(self.user, browser_authentication(self.request))
        except StepUpRequired:
            return self.go("account-confirm", next=self.request.path)
        return None


def app_to_scan(secret: str, uri: str) -> dict[str, str]:
    """Return what a page shows of an authenticator app to set up: the secret in groups of four, and the QR code."""
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return {"secret": groups, "uri": uri, "qr_code": qr_code_svg(uri)}


def sentence_for(error: ApiError) -> str:
    """Return what a page says of an error in words of its own, '' where those of the API will do."""
    if isinstance(error, TooManyAttempts):
        return f"Too many attempts; this one was not checked. Try again in {error.headers['Retry-After']} seconds."
    return SENTENCES.get(type(error), "")


def link(name: str, next: str = "", **arguments: Any) -> str:  # noqa: A002  # the name of the parameter
    """Return the path of a page, with the page that it leads to as a parameter."""
    path = reverse(name, kwargs=arguments or None)
    return f"{path}?{urlencode({'next': next})}" if next else path
