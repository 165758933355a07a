"""The pages where somebody asks for a mail, and sets a new password where its link leads."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts

from latchkey.accounts.email import LENGTH_LIMIT, canonical
from latchkey.core.client import Client
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.redeem import Presented, find
from latchkey.passwords.reset import ask_for_reset, confirm_reset
from latchkey.web.pages import FormPage, LinkPage, TokenForm

HIDDEN = forms.PasswordInput({"autocomplete": "new-password"})
ADDRESS = forms.EmailInput({"autocomplete": "username"})


class AddressForm(forms.Form):
    email = forms.CharField(label="E-mail address", max_length=LENGTH_LIMIT, widget=ADDRESS)

    def clean_email(self) -> str:
        try:
            return canonical(self.cleaned_data["email"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class ForgotPasswordPage(FormPage):
    """Answers every address alike, as POST /api/password/reset/ does."""

    template_name = "latchkey/forgot_password.html"
    form_class = AddressForm

    def act(self, fields: Mapping[str, Any], client: Client) -> None:
        ask_for_reset(fields["email"], client)


class NewPasswordForm(TokenForm):
    """Typed twice, as nobody sees it and a slip would cost another mail."""

    new_password = forms.CharField(label="New password", strip=False, widget=HIDDEN)
    again = forms.CharField(label="The same again", strip=False, widget=HIDDEN)

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("new_password"):
            raise forms.ValidationError("The two passwords differ.")
        return again


class ResetPasswordPage(LinkPage):
    template_name = "latchkey/reset_password.html"
    form_class = NewPasswordForm

    def look(self, token: str, client: Client) -> Mapping[str, Any]:
        email = find(Purpose.PASSWORD_RESET, Presented(token), client).user.email  # for password managers
        return {"email": email, "rules": filter(None, password_validators_help_texts())}

    def act(self, fields: Mapping[str, Any], client: Client) -> None:
        confirm_reset(Presented(fields["token"]), fields["new_password"], client)
