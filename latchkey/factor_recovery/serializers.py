"""Input and output of the recovery of an account that has lost every second factor."""

from typing import Any

from rest_framework import serializers

from latchkey.email_codes.serializers import LinkTokenField


class RecoveryOutput(serializers.Serializer[Any]):
    """When the mail with the link and the code is sent at the earliest."""

    due_at = serializers.DateTimeField(read_only=True)


class CancelRecoveryInput(serializers.Serializer[Any]):
    token = LinkTokenField(max_length=64, help_text="The token of the link that cancels.")
