"""Input and output of the endpoints of one's own second factors."""

from typing import Any

from rest_framework import serializers

from latchkey.web.input import StrictCharField

MAX_CODE_LENGTH = 64
"""Characters of a code that is compared at all."""


class TotpEnrolmentOutput(serializers.Serializer[Any]):
    """What an authenticator app needs, and for how long it can be confirmed."""

    secret = serializers.CharField(read_only=True, help_text="160 bits in base32, to be typed where no camera is.")
    uri = serializers.CharField(
        read_only=True, help_text="The same as an otpauth:// URI, with the name of the site and the e-mail address."
    )
    expires_in = serializers.IntegerField(
        read_only=True, help_text="Seconds to confirm it; another one can replace it before."
    )
    qr_code = serializers.CharField(read_only=True, help_text="The URI as a QR code: an SVG element.")


class ConfirmTotpInput(serializers.Serializer[Any]):
    """The code that the new app shows."""

    code = StrictCharField(max_length=MAX_CODE_LENGTH, help_text="The six digits that the app shows now.")


class RecoveryCodesOutput(serializers.Serializer[Any]):
    """New recovery codes, which no other request shows again."""

    recovery_codes = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Ten codes, each of which can be used once; empty where the account has some already.",
    )
