"""Input and output of sign-in, its second step, and step-up."""

from typing import Any, ClassVar

from rest_framework import serializers

from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.web.input import PasswordField, StrictCharField


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

    ANSWERS: ClassVar[tuple[str, ...]] = ("code", "recovery_code")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in self.ANSWERS) != 1:
            raise serializers.ValidationError({"body": [f"Send exactly one of {', '.join(self.ANSWERS)}."]})
        return attrs


class SecondFactorInput(FactorAnswerInput):
    ticket = StrictCharField(**TICKET)


class StepUpInput(FactorAnswerInput):
    password = PasswordField(required=False, help_text="For an account without a second factor.")

    ANSWERS: ClassVar[tuple[str, ...]] = ("password", *FactorAnswerInput.ANSWERS)


class StepUpOutput(serializers.Serializer[Any]):
    access_token = serializers.CharField(read_only=True)
