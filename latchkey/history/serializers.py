"""The shapes of what happened to an account on the wire."""

from typing import Any

from rest_framework import serializers

from latchkey.audit.events import KEPT


class HappenedOutput(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="A number of up to 19 digits; later events have higher ones.")
    at = serializers.DateTimeField()
    event = serializers.CharField(help_text=f"Such as {min(KEPT)}; docs/security.md lists them all.")
    ip = serializers.IPAddressField(allow_null=True)
    device = serializers.CharField(allow_blank=True, help_text="A guess for people.")
    session_id = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_blank=True, help_text="Why a session ended, or a sign-in failed.")


class HistoryOutput(serializers.Serializer[Any]):
    events = HappenedOutput(many=True, help_text="The newest first.")
    next = serializers.URLField(allow_null=True, help_text="Where older ones are.")
