"""Serializers of registration: what a client sends, and what it gets."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.fields import CanonicalEmailField
from latchkey.accounts.models import EMAIL_MAX_LENGTH, User
from latchkey.web.input import PasswordField


class RegisterInput(serializers.Serializer[Any]):
    """An e-mail address and a password."""

    email = CanonicalEmailField(
        max_length=EMAIL_MAX_LENGTH, help_text="In any spelling; stored without spaces around it and in lower case."
    )
    password = PasswordField()


class RegisterOutput(serializers.ModelSerializer[User]):
    """The new account."""

    class Meta:
        model = User
        fields = ("id", "email")
