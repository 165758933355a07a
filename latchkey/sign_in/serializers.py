"""Input and output of sign-in, its second step, and step-up."""

from typing import Any, ClassVar

from rest_framework import serializers

from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.passkeys.serializers import AddPasskeyInput, PasskeyInput
from latchkey.web.input import PasswordField, StrictCharField, StrictUUIDField


class LoginInput(serializers.Serializer[Any]):
    email = StrictCharField(max_length=EMAIL_MAX_LENGTH, trim_whitespace=True, help_text="In upper or lower case.")
    password = PasswordField()


CODE_LENGTH = 64
"""Characters of a code that is compared at all; no code of ours is so long."""

TICKET = {"max_length": CODE_LENGTH, "help_text": "The `ticket` of the answer before."}


class FactorAnswerInput(serializers.Serializer[Any]):
    """A second factor: exactly one of the fields."""

    code = StrictCharField(
        required=False, max_length=CODE_LENGTH, help_text="The six digits that an authenticator app shows now."
    )
    recovery_code = StrictCharField(
        required=False, max_length=CODE_LENGTH, help_text="One of the recovery codes; each can be used once."
    )

    passkey = PasskeyInput(required=False, help_text="The answer to the options for a passkey.")

    ANSWERS: ClassVar[tuple[str, ...]] = ("code", "recovery_code", "passkey")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in self.ANSWERS) != 1:
            raise serializers.ValidationError({"body": [f"Send exactly one of {', '.join(self.ANSWERS)}."]})
        return attrs


class TicketInput(serializers.Serializer[Any]):
    """The ticket of a sign-in."""

    ticket = StrictCharField(**TICKET)


class SecondFactorInput(FactorAnswerInput):
    ticket = StrictCharField(**TICKET)


class StepUpInput(FactorAnswerInput):
    password = PasswordField(required=False, help_text="For an account without a second factor.")
    ticket = StrictCharField(required=False, max_length=CODE_LENGTH, help_text="With a passkey: that of its options.")

    ANSWERS: ClassVar[tuple[str, ...]] = ("password", *FactorAnswerInput.ANSWERS)


class StepUpOutput(serializers.Serializer[Any]):
    access_token = serializers.CharField(read_only=True)


class TotpSecretOutput(serializers.Serializer[Any]):
    """What an authenticator app needs, until `expires_in` seconds from now."""

    secret = serializers.CharField(read_only=True, help_text="The secret in base32, to be typed into the app.")
    uri = serializers.CharField(read_only=True, help_text="The same as an otpauth:// URI.")
    qr_code = serializers.CharField(read_only=True, help_text="The URI as a QR code: an SVG element.")
    expires_in = serializers.IntegerField(read_only=True)


class EnrolTotpInput(TicketInput):
    code = StrictCharField(max_length=CODE_LENGTH, help_text="The six digits that the app shows now.")


class EnrolledOutput(serializers.Serializer[Any]):
    """The tokens of the session, and the recovery codes, which are shown this once."""

    access_token = serializers.CharField(read_only=True)
    refresh_token = StrictUUIDField(read_only=True)
    recovery_codes = serializers.ListField(child=serializers.CharField(), read_only=True)


class PasskeySignInInput(TicketInput):
    """The ticket of the options, and the answer of the authenticator."""

    passkey = PasskeyInput()


class EnrolPasskeyInput(AddPasskeyInput):
    """A new passkey, with the ticket of the sign-in."""
