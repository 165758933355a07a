"""The shapes of new passwords on the wire."""

from typing import Any

from rest_framework import serializers

from latchkey.accounts.fields import PasswordField
from latchkey.email_codes.serializers import PresentedInput


class ChangeInput(serializers.Serializer[Any]):
    current_password = PasswordField()
    new_password = PasswordField()


class ConfirmResetInput(PresentedInput):
    new_password = PasswordField()
