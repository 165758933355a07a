"""Serializers of links and codes by e-mail, and of answers that are the same for every address."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.fields import CanonicalEmailField
from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.email_codes.fields import LinkTokenField, RedirectField
from latchkey.email_codes.one_time_codes import Submitted
from latchkey.web.input import StrictCharField

ONE_OF = "Send the token of the link, or the e-mail address and the code."


class EmailInput(serializers.Serializer[Any]):
    """The e-mail address that a mail is to be sent to, and where its link leads in the end."""

    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, help_text="Any spelling of the address.")
    redirect_to = RedirectField()


class EmailedCodeInput(serializers.Serializer[Any]):
    """The token of the link, or the e-mail address and the code."""

    token = LinkTokenField(max_length=64, required=False, help_text="The token of the link; or send email and code.")
    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, required=False, help_text="Any spelling of the address.")
    code = StrictCharField(
        max_length=16, required=False, help_text="The code of the mail; case and hyphen do not matter."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the token, or the pair, and return it as Submitted; raises ValidationError."""
        sent = {name: attrs.pop(name) for name in ("token", "email", "code") if name in attrs}
        if set(sent) not in ({"token"}, {"email", "code"}):
            raise serializers.ValidationError({"token": ONE_OF})
        return {"presented": Submitted(**sent), **attrs}


class DetailOutput(serializers.Serializer[Any]):
    """What happens next, as a sentence for people."""

    detail = serializers.CharField(read_only=True)


class SuccessOutput(serializers.Serializer[Any]):
    """What was done, as a sentence for people."""

    success = serializers.CharField(read_only=True)
