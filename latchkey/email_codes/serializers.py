"""The shapes of what is shown out of a mail, and of what is answered alike whoever asks."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.fields import CanonicalEmailField
from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.email_codes.redeem import Submitted
from latchkey.web.input import StrictCharField

ONE_OF = "Send the token of the link, or the e-mail address and the code."


class EmailInput(serializers.Serializer[Any]):
    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, help_text="Any spelling of the address.")


class PresentedInput(serializers.Serializer[Any]):
    """Either the token or the pair; what was not sent stays empty."""

    token = StrictCharField(max_length=64, required=False, help_text="Out of the link; or else email and code.")
    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, required=False, help_text="Any spelling of the address.")
    code = StrictCharField(max_length=16, required=False, help_text="As in the mail; case and hyphen do not matter.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        sent = {name: attrs.pop(name) for name in ("token", "email", "code") if name in attrs}
        if set(sent) not in ({"token"}, {"email", "code"}):
            raise serializers.ValidationError({"token": ONE_OF})
        return {"presented": Submitted(**sent), **attrs}


class DetailOutput(serializers.Serializer[Any]):
    detail = serializers.CharField(read_only=True)


class SuccessOutput(serializers.Serializer[Any]):
    success = serializers.CharField(read_only=True)
