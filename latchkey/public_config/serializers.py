"""Serializers of the public configuration."""

from typing import Any

from rest_framework import serializers

from latchkey.conf.policy import Policy

EMAIL_VERIFICATION_MODES = Policy.__dataclass_fields__["email_verification"].metadata["choices"]

SECOND_FACTOR_MODES = Policy.__dataclass_fields__["second_factor"].metadata["choices"]


class PasswordRulesOutput(serializers.Serializer[Any]):
    """The rules for new passwords that a form can show before it is sent."""

    min_length = serializers.IntegerField(help_text="Minimum length of a new password, in characters.")
    max_length = serializers.IntegerField(help_text="Maximum length of a password, in characters.")
    blocklist = serializers.BooleanField(help_text="Whether common passwords are refused.")


class TokenLifetimesOutput(serializers.Serializer[Any]):
    """The lifetimes of tokens, in seconds."""

    access_token_lifetime = serializers.IntegerField(help_text="Seconds that an access token is valid.")
    refresh_token_lifetime = serializers.IntegerField(help_text="Seconds that a session lasts without a refresh.")
    retry_window = serializers.IntegerField(help_text="Seconds in which a refresh can be repeated with the old token.")


class ConfigOutput(serializers.Serializer[Any]):
    """The public configuration."""

    site_name = serializers.CharField(help_text="Name of the site, for people.")
    registration_open = serializers.BooleanField(help_text="Whether anybody can register.")
    email_verification = serializers.ChoiceField(
        choices=EMAIL_VERIFICATION_MODES, help_text="Whether users must verify their e-mail address."
    )
    sign_in_methods = serializers.ListField(child=serializers.CharField(), help_text="Ways of signing in.")
    second_factor = serializers.ChoiceField(
        choices=SECOND_FACTOR_MODES, help_text="Whether accounts have a second factor at sign-in."
    )
    recovery_delay = serializers.IntegerField(
        help_text="Days until lost second factors can be removed by mail; 0: they cannot."
    )
    password = PasswordRulesOutput()
    tokens = TokenLifetimesOutput()
