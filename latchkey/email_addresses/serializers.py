"""Serializers of a change of e-mail address."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.fields import CanonicalEmailField
from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.email_codes.serializers import REDIRECT, LinkTokenField, RedirectField
from latchkey.web.input import PasswordField, StrictCharField


class ChangeEmailInput(serializers.Serializer[Any]):
    """The new e-mail address, and the password for reauthentication."""

    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, help_text="The new address, in any spelling.")
    password = PasswordField()
    redirect_to = RedirectField(**REDIRECT)


class ConfirmChangeInput(serializers.Serializer[Any]):
    """The token of the link, or the code of the mail with an access token."""

    token = LinkTokenField(max_length=64, required=False, help_text="The token of the link; it needs no access token.")
    code = StrictCharField(
        max_length=16, required=False, help_text="The code of the mail; it needs an access token, because it is short."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require one of the two; raises ValidationError."""
        if len(attrs) != 1:
            raise serializers.ValidationError({"token": "Send the token of the link, or the code."})
        return attrs
