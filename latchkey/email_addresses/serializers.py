"""The shapes of confirming an address on the wire."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.fields import CanonicalEmailField, PasswordField
from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.web.input import StrictCharField


class ChangeEmailInput(serializers.Serializer[Any]):
    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, help_text="The new one; any spelling.")
    password = PasswordField()


class ConfirmChangeInput(serializers.Serializer[Any]):
    token = StrictCharField(max_length=64, required=False, help_text="Out of the link; needs no access token.")
    code = StrictCharField(max_length=16, required=False, help_text="Out of the mail; needs an access token beside it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"token": "Send the token of the link, or the code."})
        return attrs
