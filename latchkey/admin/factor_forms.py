"""Forms for a second factor in the admin area: at sign-in, at enrolment, and at reauthentication."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from latchkey.account_pages.forms import MAX_RESPONSE_LENGTH, parse_response
from latchkey.core.exceptions import ApiError, TooManyAttempts
from latchkey.passkeys.serializers import NewPasskeyInput, PasskeyInput
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
        return FactorAnswer(**{name: value for name, value in self.cleaned_data.items() if name != "ticket"})

    def refuse(self, refusal: ApiError) -> None:
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


class PasskeyForm(FactorForm):
    """The answer of an authenticator as JSON, and the ticket of its options, from the script of the page."""

    passkey = forms.CharField(max_length=MAX_RESPONSE_LENGTH)
    ticket = forms.CharField(max_length=MAX_LENGTH, required=False)
    response_class: ClassVar[Any] = PasskeyInput
    wrong = "The passkey was not accepted. Try again, or choose another way."

    def clean_passkey(self) -> Any:
        """Return the answer of the authenticator; raises ValidationError."""
        return parse_response(self.cleaned_data["passkey"], self.response_class)


class NewPasskeyForm(PasskeyForm):
    """The answer of an authenticator that has made a passkey."""

    response_class = NewPasskeyInput


FORMS: Mapping[str, type[FactorForm]] = {"totp": CodeForm, "passkey": PasskeyForm, "recovery_code": RecoveryCodeForm}
"""The forms of the factors. A page shows that of the first one that the account has."""

LINKS = {"totp": "Use your authenticator app", "recovery_code": "Use a recovery code"}
"""The texts of the links to the forms of other factors; the button for a passkey is on each page."""


def choose_form(request: HttpRequest, factors: Collection[str]) -> type[FactorForm]:
    """Return the form that was sent, or the one that the person chose, or that of the first factor of the account."""
    sent = next((form for form in FORMS.values() if next(iter(form.base_fields)) in request.POST), None)
    chosen = request.GET.get(CHOICE, "")
    shown = chosen if chosen in factors else next((name for name in FORMS if name in factors), "recovery_code")
    return sent or FORMS[shown]


def form_context(form: FactorForm, factors: Collection[str]) -> dict[str, Any]:
    """Return what the template of a factor shows: the field, the links to those of other factors, and an error.

    The button for a passkey has no field; its errors stand above it.
    """
    is_passkey = isinstance(form, PasskeyForm)
    shown = form
    if is_passkey and "totp" in factors:
        shown = CodeForm()
    has_field = not isinstance(shown, PasskeyForm)
    links = {name: text for name, text in LINKS.items() if name in factors and FORMS[name] is not type(shown)}
    errors = [sentence for sentences in form.errors.values() for sentence in sentences] if is_passkey else []
    field = shown[next(iter(shown.fields))] if has_field else None
    return {"form": shown, "field": field, "links": links, "passkey_errors": errors, "factors": factors}


def retry_message(refusal: TooManyAttempts) -> str:
    """Return the message after too many attempts, with the time to wait."""
    return f"Too many attempts. Try again in {refusal.headers['Retry-After']} seconds."
