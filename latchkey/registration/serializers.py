"""The input and output of registration."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.fields import CanonicalEmailField, PasswordField
from latchkey.accounts.models import EMAIL_MAX_LENGTH, User


class RegisterInput(serializers.Serializer[Any]):
    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, help_text="Any spelling; kept trimmed and in lower case.")
    password = PasswordField()


class RegisterOutput(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email")
