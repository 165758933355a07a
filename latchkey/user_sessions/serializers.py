"""The shapes of a signed-in device on the wire."""

from typing import Any

from rest_framework import serializers


class SessionOutput(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Up to 19 digits, more than a number of JavaScript holds.")
    created_at = serializers.DateTimeField(help_text="When it signed in.")
    last_used_at = serializers.DateTimeField(help_text="When it last refreshed.")
    expires_at = serializers.DateTimeField(help_text="When it ends, unless it refreshes before.")
    ip = serializers.IPAddressField(allow_null=True, help_text="The address that it signed in from.")
    device = serializers.CharField(help_text="A guess for people, out of user_agent.")
    user_agent = serializers.CharField(allow_blank=True, help_text="What it called itself when it signed in.")
    current = serializers.BooleanField(help_text="Whether this request comes from it.")


class EndedOutput(serializers.Serializer[Any]):
    ended = serializers.IntegerField(min_value=0, help_text="How many sessions there were to end.")
