"""Serializers of the list of one's own sessions (/api/sessions/)."""

from typing import Any

from rest_framework import serializers

from latchkey.tokens.authentication_methods import LEVELS


class SessionOutput(serializers.Serializer[Any]):
    """A session: one signed-in device."""

    id = serializers.CharField(
        help_text="A number of up to 19 digits, as a string: JavaScript cannot hold it as a number."
    )
    created_at = serializers.DateTimeField(help_text="When the device signed in.")
    last_used_at = serializers.DateTimeField(help_text="When the device last refreshed its tokens.")
    expires_at = serializers.DateTimeField(help_text="When the session expires, unless the device refreshes before.")
    ip = serializers.IPAddressField(allow_null=True, help_text="The IP address at sign-in, if known.")
    device = serializers.CharField(help_text="A name for people, guessed from user_agent.")
    user_agent = serializers.CharField(allow_blank=True, help_text="The User-Agent header at sign-in.")
    current = serializers.BooleanField(help_text="Whether this session's access token made the request.")
    amr = serializers.ListField(
        child=serializers.CharField(), help_text="How you signed in there: authentication methods (RFC 8176)."
    )
    acr = serializers.ChoiceField(choices=LEVELS, help_text="The level of authentication that they make.")
    authenticated_at = serializers.DateTimeField(help_text="When you last proved there who you are.")


class EndedOutput(serializers.Serializer[Any]):
    """The number of sessions that were ended."""

    ended = serializers.IntegerField(min_value=0, help_text="How many sessions were ended.")
