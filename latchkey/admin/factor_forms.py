"""Forms for a second factor in the admin area: at sign-in, at enrolment, and at reauthentication."""

from collections.abc import Collection
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from latchkey.core.exceptions import InvalidFactorCode, TooManyAttempts
from latchkey.sign_in.factor_checks import FactorAnswer

MAX_LENGTH = 64
"""Characters of a code that is compared at all; no code of ours is so long."""

CHOICE = "with"
"""Parameter of the pages: `?with=recovery_code` is the form for a recovery code."""


class FactorForm(forms.Form):
    """A form with one field, for a second factor."""

    wrong: ClassVar[str]
    """The sentence about a wrong answer."""

    @property
    def answer(self) -> FactorAnswer:
        """What was given, of a valid form."""
        return FactorAnswer(**self.cleaned_data)

    def refuse(self, refusal: InvalidFactorCode | TooManyAttempts) -> None:
        """Say beside the field why the answer was refused."""
        sentence = retry_message(refusal) if isinstance(refusal, TooManyAttempts) else self.wrong
        self.add_error(next(iter(self.fields)), sentence)


class CodeForm(FactorForm):
    """The code that an authenticator app shows; apps show it in groups, which are typed with a space."""

    code = forms.CharField(
        label="Code from your authenticator app",
        max_length=MAX_LENGTH,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )
    wrong = "The code is wrong, too old, or was used before. Wait for the next one."

    def clean_code(self) -> str:
        """Return the code without spaces."""
        return "".join(self.cleaned_data["code"].split())


class RecoveryCodeForm(FactorForm):
    """A recovery code."""

    recovery_code = forms.CharField(
        label="Recovery code",
        max_length=MAX_LENGTH,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false", "autofocus": True}),
    )
    wrong = "This is not one of your recovery codes, or it was used before."


def choose_form(request: HttpRequest, factors: Collection[str]) -> type[FactorForm]:
    """Return the form that the person chose of those for these factors: by default that of the authenticator app."""
    chosen = "recovery_code" in (request.GET.get(CHOICE), *request.POST)
    return RecoveryCodeForm if chosen or "totp" not in factors else CodeForm


def form_context(form: FactorForm, factors: Collection[str]) -> dict[str, Any]:
    """Return what the template of a factor shows: the form, and which other one there is."""
    other = {CodeForm: "recovery_code", RecoveryCodeForm: "totp"}[type(form)]
    return {"form": form, "field": form[next(iter(form.fields))], "other": other if other in factors else ""}


def retry_message(refusal: TooManyAttempts) -> str:
    """Return the message after too many attempts, with the time to wait."""
    return f"Too many attempts. Try again in {refusal.headers['Retry-After']} seconds."
