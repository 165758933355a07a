"""Input of sign-in."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.web.input import PasswordField, StrictCharField


class LoginInput(serializers.Serializer[Any]):
    email = StrictCharField(max_length=EMAIL_MAX_LENGTH, trim_whitespace=True, help_text="In upper or lower case.")
    password = PasswordField()
