"""Serializers of password change and password reset."""

from typing import Any

from rest_framework import serializers

from latchkey.email_codes.serializers import EmailedCodeInput
from latchkey.web.input import PasswordField


class ChangeInput(serializers.Serializer[Any]):
    """The current password, for reauthentication, and the new one."""

    current_password = PasswordField()
    new_password = PasswordField()


class ConfirmResetInput(EmailedCodeInput):
    """The token of the link, or the e-mail address and the code; and the new password."""

    new_password = PasswordField()
