"""Pages of the password reset: /forgot-password/ sends the mail, and /reset-password/ is where its link leads.

They let an application do without pages of its own; docs/accounts.md says how to build them instead.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts

from latchkey.core.client import ClientInfo
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import Submitted, lookup
from latchkey.email_codes.pages import OneTimeLinkPage, RequestMailPage
from latchkey.passwords.reset import confirm_reset, request_reset
from latchkey.web.pages import TokenForm

PASSWORD_WIDGET = forms.PasswordInput({"autocomplete": "new-password"})


class ForgotPasswordPage(RequestMailPage):
    """/forgot-password/: the answer is the same for every address, as that of POST /api/password/reset/ is."""

    template_name = "latchkey/forgot_password.html"

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Send the mail; raises TooManyAttempts."""
        request_reset(fields["email"], client, fields["redirect_to"])


class NewPasswordForm(TokenForm):
    """A new password, typed twice: it is hidden, and after a slip the user would need another mail."""

    new_password = forms.CharField(label="New password", strip=False, widget=PASSWORD_WIDGET)
    new_password_repeat = forms.CharField(label="Repeat password", strip=False, widget=PASSWORD_WIDGET)

    def clean_new_password_repeat(self) -> str:
        """Return the repeated password; raises ValidationError if it differs."""
        repeated: str = self.cleaned_data["new_password_repeat"]
        if repeated != self.cleaned_data.get("new_password"):
            raise forms.ValidationError("The two passwords differ.")
        return repeated


class ResetPasswordPage(OneTimeLinkPage):
    """/reset-password/?token=...: a form for the new password."""

    hashes_password = frozenset({"POST"})
    purpose = Purpose.PASSWORD_RESET
    template_name = "latchkey/reset_password.html"
    form_class = NewPasswordForm

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return the account's address and the password rules; raises InvalidCode or TooManyAttempts."""
        email = lookup(self.purpose, Submitted(token), client).user.email  # for password managers
        return {"email": email, "rules": filter(None, password_validators_help_texts())}

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Set the password; raises InvalidCode, TooManyAttempts, or a PasswordToo... error."""
        confirm_reset(Submitted(fields["token"]), fields["new_password"], client)
