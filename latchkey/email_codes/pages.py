"""Forms and pages that features with mailed links share: the form for another mail, and what a used link shows."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from latchkey.accounts.models import EMAIL_MAX_LENGTH, User, normalize_email
from latchkey.core.client import ClientInfo
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import Submitted, find_account, lookup
from latchkey.web.pages import EmailLinkPage, FormPage, continue_context

EMAIL_WIDGET = forms.EmailInput({"autocomplete": "username"})


class EmailForm(forms.Form):
    """The e-mail address that the mail goes to."""

    email = forms.CharField(label="E-mail address", max_length=EMAIL_MAX_LENGTH, widget=EMAIL_WIDGET)
    redirect_to = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_email(self) -> str:
        """Return the normalized address; raises ValidationError."""
        try:
            return normalize_email(self.cleaned_data["email"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_redirect_to(self) -> str:
        """Return the target after success, '' for one that is not allowed: the page works without."""
        return continue_context(self.cleaned_data["redirect_to"]).get("continue_url", "")


class RequestMailPage(FormPage):
    """A page that asks for an e-mail address and sends a mail; the answer is the same for every address."""

    form_class = EmailForm

    def get_initial(self) -> dict[str, Any]:
        return {"redirect_to": self.request.GET.get("redirect_to", "")}


class OneTimeLinkPage(EmailLinkPage):
    """A page behind the link of a one-time code: where it leads, and what a used link shows."""

    purpose: ClassVar[Purpose]

    def redirect_to(self, fields: Mapping[str, Any], client: ClientInfo) -> str | None:
        return lookup(self.purpose, Submitted(fields["token"]), client).redirect_to

    def used_link_context(self, token: str, reference: str) -> Mapping[str, Any]:
        """Return what the page for an invalid link shows: whether it was done already, or a form for another mail."""
        owner = find_account(self.purpose, token, reference) if token and reference else None
        return {"already": owner is not None and self.is_done(owner), "form": EmailForm()}

    def is_done(self, owner: User) -> bool:
        """Tell whether the account of an authentic link is as the link would make it."""
        return False
