"""The two ceremonies of WebAuthn without HTTP: options, a software authenticator, verification."""

import secrets
from typing import Any

from latchkey.accounts.models import User
from latchkey.passkeys.assertion import VerifiedAssertion, record_use, verify_assertion
from latchkey.passkeys.models import Passkey
from latchkey.passkeys.options import creation_options, request_options
from latchkey.passkeys.registration import NewPasskey, add_passkey, verify_registration
from latchkey.passkeys.serializers import NewPasskeyInput, PasskeyInput
from tests.support.software_authenticator import SoftwareAuthenticator


class Account:
    """An account with its user handle, and the two ceremonies for it."""

    def __init__(self, email: str = "alice@example.com") -> None:
        self.handle = secrets.token_bytes(32)
        self.user = User.objects.create_user(email, user_handle=self.handle)

    def creation_options(self, challenge: bytes) -> dict[str, Any]:
        return creation_options(
            challenge=challenge,
            user_handle=self.handle,
            email=self.user.email,
            display_name=self.user.username,
            existing=Passkey.objects.filter(user=self.user),
            timeout_seconds=300,
        )

    def verify_new(self, authenticator: SoftwareAuthenticator, **lies: Any) -> NewPasskey:
        """Register a passkey and return its verified values; raises InvalidPasskey."""
        challenge = secrets.token_bytes(32)
        answer = NewPasskeyInput(data=authenticator.create(self.creation_options(challenge), **lies))
        answer.is_valid(raise_exception=True)
        return verify_registration(answer.validated_data, challenge)

    def add(self, authenticator: SoftwareAuthenticator, name: str = "Phone", **lies: Any) -> Passkey:
        """Register a passkey and store it."""
        return add_passkey(self.user.pk, self.verify_new(authenticator, **lies), name)

    def verify(
        self, authenticator: SoftwareAuthenticator, require_user_verification: bool = True, **lies: Any
    ) -> VerifiedAssertion:
        """Sign with a passkey and return what that proves; raises InvalidPasskey."""
        challenge = secrets.token_bytes(32)
        options = request_options(
            challenge=challenge, timeout_seconds=300, require_user_verification=require_user_verification
        )
        answer = PasskeyInput(data=authenticator.get(options, **lies))
        answer.is_valid(raise_exception=True)
        passkey = Passkey.objects.get(credential_id=answer.validated_data.credential_id)
        return verify_assertion(
            passkey, answer.validated_data, challenge, require_user_verification=require_user_verification
        )

    def use(self, authenticator: SoftwareAuthenticator, **lies: Any) -> VerifiedAssertion:
        """Sign with a passkey, and store its use."""
        verified = self.verify(authenticator, **lies)
        record_use(Passkey.objects.get(user=self.user), verified, initializes_user_verification=False)
        return verified
