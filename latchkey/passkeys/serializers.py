"""Serializers of passkeys; an authenticator's answers are in the JSON forms of WebAuthn Level 3 section 5.1."""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from latchkey.passkeys.models import MAX_CREDENTIAL_ID, NAME_LENGTH
from latchkey.passkeys.responses import AssertionResponse, RegistrationResponse, decode_base64url
from latchkey.web.input import StrictCharField

MAX_CLIENT_DATA, MAX_AUTHENTICATOR_DATA, MAX_SIGNATURE, MAX_ATTESTATION = 4_096, 4_096, 2_048, 16_384
"""Bytes of the parts of an answer; real ones have a tenth of that."""

MAX_TICKET = 64
"""Characters of a ticket that is looked up; one of ours has 43."""

MAX_USER_HANDLE = 64
"""Bytes of a user handle (WebAuthn Level 3 section 4)."""


class Base64UrlField(StrictCharField):
    """Bytes in base64url without padding (RFC 4648 section 5), at most `max_bytes` of them."""

    default_error_messages = {"not_base64url": "This must be base64url without padding."}

    def __init__(self, *, max_bytes: int, **kwargs: Any) -> None:
        pattern = RegexValidator(r"^[A-Za-z0-9_-]+$", self.default_error_messages["not_base64url"])
        super().__init__(max_length=-(-max_bytes * 4 // 3), validators=[pattern], **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Return the decoded bytes, None for null where that is allowed; raises ValidationError."""
        if data is None and self.allow_null:
            return None
        try:
            return decode_base64url(super().run_validation(data))
        except ValueError:
            self.fail("not_base64url")


class AttestationInput(serializers.Serializer[Any]):
    """The authenticator's answer to a registration (AuthenticatorAttestationResponseJSON)."""

    clientDataJSON = Base64UrlField(max_bytes=MAX_CLIENT_DATA)  # noqa: N815  # a name of the standard
    attestationObject = Base64UrlField(max_bytes=MAX_ATTESTATION)  # noqa: N815
    transports = serializers.ListField(child=StrictCharField(max_length=32), max_length=16, required=False)


class SignatureInput(serializers.Serializer[Any]):
    """The authenticator's answer to a request for a signature (AuthenticatorAssertionResponseJSON)."""

    clientDataJSON = Base64UrlField(max_bytes=MAX_CLIENT_DATA)  # noqa: N815
    authenticatorData = Base64UrlField(max_bytes=MAX_AUTHENTICATOR_DATA)  # noqa: N815
    signature = Base64UrlField(max_bytes=MAX_SIGNATURE)
    userHandle = Base64UrlField(max_bytes=MAX_USER_HANDLE, required=False, allow_null=True)  # noqa: N815


class NewPasskeyInput(serializers.Serializer[Any]):
    """A new passkey: `PublicKeyCredential.toJSON()` in a browser (RegistrationResponseJSON)."""

    id = Base64UrlField(max_bytes=MAX_CREDENTIAL_ID)
    type = serializers.ChoiceField(choices=["public-key"])
    response = AttestationInput()

    def to_internal_value(self, data: Any) -> RegistrationResponse:
        """Return the answer as plain values; members that are not needed are left out."""
        fields = super().to_internal_value(data)
        response = fields["response"]
        return RegistrationResponse(
            credential_id=fields["id"],
            client_data=response["clientDataJSON"],
            attestation_object=response["attestationObject"],
            transports=tuple(response.get("transports", ())),
        )


class PasskeyInput(serializers.Serializer[Any]):
    """A signature by a passkey: `PublicKeyCredential.toJSON()` in a browser (AuthenticationResponseJSON)."""

    id = Base64UrlField(max_bytes=MAX_CREDENTIAL_ID)
    type = serializers.ChoiceField(choices=["public-key"])
    response = SignatureInput()

    def to_internal_value(self, data: Any) -> AssertionResponse:
        """Return the answer as plain values; members that are not needed are left out."""
        fields = super().to_internal_value(data)
        response = fields["response"]
        return AssertionResponse(
            credential_id=fields["id"],
            client_data=response["clientDataJSON"],
            authenticator_data=response["authenticatorData"],
            signature=response["signature"],
            user_handle=response.get("userHandle"),
        )


class PasskeyNameInput(serializers.Serializer[Any]):
    """The name of a passkey."""

    name = StrictCharField(max_length=NAME_LENGTH, trim_whitespace=True, help_text="A name for its owner.")


class AddPasskeyInput(serializers.Serializer[Any]):
    """A new passkey, with the ticket of its options."""

    ticket = StrictCharField(max_length=MAX_TICKET, help_text="The ticket of the options.")
    name = StrictCharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=NAME_LENGTH,
        trim_whitespace=True,
        help_text="A name for its owner; without it the name of the device.",
    )
    passkey = NewPasskeyInput()


class CeremonyOutput(serializers.Serializer[Any]):
    """Options for an authenticator, and the ticket that goes with the answer."""

    ticket = serializers.CharField(help_text="Send it with the answer; it can be used once.")
    options = serializers.DictField(
        help_text="PublicKeyCredentialCreationOptionsJSON or PublicKeyCredentialRequestOptionsJSON of WebAuthn, for "
        "`PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` in a browser."
    )
    expires_in = serializers.IntegerField(help_text="Seconds until the ticket expires.")


class PasskeyOutput(serializers.Serializer[Any]):
    """A passkey of the account."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField(help_text="When it was added.")
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="When it was last used, if ever.")
    backed_up = serializers.BooleanField(help_text="Whether it was synchronized, so that losing a device loses it not.")
    replaces_password = serializers.BooleanField(
        source="user_verified",
        help_text="Whether it can sign in alone; otherwise it is a second factor beside the password.",
    )
    rp_id = serializers.CharField(help_text="The domain that it is for.")


class AddedPasskeyOutput(serializers.Serializer[Any]):
    """The new passkey, and the recovery codes of an account that had none."""

    passkey = PasskeyOutput()
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Shown this once; empty if the account has some already."
    )
