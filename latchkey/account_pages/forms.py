"""Forms of the account pages: what people type to sign in, and as a second factor."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from rest_framework.serializers import BaseSerializer

from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.core.exceptions import PASSWORD_MAX_LENGTH, BadRequest, InvalidPasskey
from latchkey.passkeys.models import NAME_LENGTH
from latchkey.passkeys.responses import AssertionResponse
from latchkey.passkeys.serializers import NewPasskeyInput, PasskeyInput
from latchkey.sign_in.factor_checks import FactorAnswer
from latchkey.web.input import parse_json_object

MAX_CODE_LENGTH = 64
"""Characters of a code that is compared at all; no code of ours is so long."""

MAX_RESPONSE_LENGTH = 40_000
"""Characters of an authenticator's answer in JSON: more than its parts may have together."""

NOT_PRINTABLE = "The name has a character that cannot be shown."
MISSING = "Fill in one of the fields."


class CredentialsForm(forms.Form):
    """E-mail address and password."""

    email = forms.CharField(
        label="E-mail address",
        max_length=EMAIL_MAX_LENGTH,
        widget=forms.EmailInput({"autocomplete": "username webauthn", "autofocus": True}),
    )
    password = forms.CharField(
        label="Password",
        max_length=PASSWORD_MAX_LENGTH,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """The code that an authenticator app shows now. Apps show it in two groups, and people type the space between."""

    code = forms.CharField(
        label="Code",
        max_length=MAX_CODE_LENGTH,
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def clean_code(self) -> str:
        """Return the code without spaces."""
        return "".join(self.cleaned_data["code"].split())


class FactorForm(CodeForm):
    """A second factor. The page shows the fields of the factors that the account has, and people fill in one of them.

    passkey is the answer of an authenticator, as JSON, from the script of the page; ticket is that of its options, if
    it is not known otherwise.
    """

    passkey = forms.CharField(max_length=MAX_RESPONSE_LENGTH, required=False, widget=forms.HiddenInput)
    ticket = forms.CharField(max_length=MAX_CODE_LENGTH, required=False, widget=forms.HiddenInput)
    recovery_code = forms.CharField(
        label="Recovery code",
        max_length=MAX_CODE_LENGTH,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].required = False

    def clean_passkey(self) -> AssertionResponse | None:
        """Return the answer of the authenticator, None without one; raises ValidationError."""
        text = self.cleaned_data["passkey"]
        return parse_response(text, PasskeyInput) if text else None

    def clean(self) -> dict[str, Any]:
        """Return the fields; raises ValidationError where none is filled in."""
        if not self.errors and not any(value for name, value in self.cleaned_data.items() if name != "ticket"):
            raise forms.ValidationError(MISSING)
        return self.cleaned_data

    def add_error(self, field: str | None, error: Any) -> None:
        """Store an error; the cursor goes to its field."""
        if field == "recovery_code":
            self.fields["code"].widget.attrs.pop("autofocus", None)
            self.fields["recovery_code"].widget.attrs["autofocus"] = True
        super().add_error(field, error)


class ProofForm(FactorForm):
    """What an account proves again: its password, or its second factor if it has one."""

    password = forms.CharField(
        label="Password",
        max_length=PASSWORD_MAX_LENGTH,
        strip=False,
        required=False,
        widget=forms.PasswordInput({"autocomplete": "current-password", "autofocus": True}),
    )


def factor_answer(fields: Mapping[str, Any]) -> FactorAnswer:
    """Return the second factor out of the fields of a FactorForm, for the checks of sign_in."""
    return FactorAnswer(fields["code"], fields["recovery_code"], fields["passkey"])


class PasskeyForm(forms.Form):
    """The answer of an authenticator, which the script of the page puts into hidden fields as JSON."""

    response_class: ClassVar[type[BaseSerializer[Any]]]
    ticket = forms.CharField(max_length=MAX_CODE_LENGTH, required=False, widget=forms.HiddenInput)
    passkey = forms.CharField(max_length=MAX_RESPONSE_LENGTH, widget=forms.HiddenInput)

    def clean_passkey(self) -> Any:
        """Return the answer; raises ValidationError."""
        return parse_response(self.cleaned_data["passkey"], self.response_class)


class PasskeySignInForm(PasskeyForm):
    """A passkey that signs in alone."""

    response_class = PasskeyInput


def parse_response(text: str, response_class: type[BaseSerializer[Any]]) -> Any:
    """Return the answer of an authenticator out of its JSON; raises ValidationError."""
    try:
        serializer = response_class(data=parse_json_object(text.encode()))
    except BadRequest as error:
        raise forms.ValidationError(InvalidPasskey.detail) from error
    if not serializer.is_valid():
        raise forms.ValidationError(InvalidPasskey.detail)
    return serializer.validated_data


def validate_printable(name: str) -> None:
    """Raise ValidationError for a name with line breaks or other control characters."""
    if not name.isprintable():
        raise forms.ValidationError(NOT_PRINTABLE)


class NameForm(forms.Form):
    """The name of a passkey, by which its owner knows it."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_LENGTH,
        validators=[validate_printable],
        widget=forms.TextInput({"autocomplete": "off", "autofocus": True}),
    )


class AddPasskeyForm(PasskeyForm):
    """A new passkey, and its name; without one it has that of the device."""

    response_class = NewPasskeyInput
    name = forms.CharField(
        label="Name",
        max_length=NAME_LENGTH,
        required=False,
        validators=[validate_printable],
        widget=forms.TextInput({"autocomplete": "off", "autofocus": True}),
    )
