"""Use of a passkey: find it by the answer of an authenticator, verify the answer, store the use.

Sign-in, second factor and step-up all come through here. They keep the challenge with a ticket, and take it away before
they call this, so that each challenge is compared once.
"""

from dataclasses import dataclass

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidPasskey
from latchkey.passkeys.assertion import SUSPICIOUS, VerifiedAssertion, record_use, verify_assertion
from latchkey.passkeys.models import Passkey
from latchkey.passkeys.responses import AssertionResponse
from latchkey.tokens.authentication_methods import FIRST, Proof


@dataclass(frozen=True, slots=True)
class PasskeyUse:
    """A verified answer that is not stored yet: the passkey with its user, and what was proved."""

    passkey: Passkey
    verified: VerifiedAssertion

    @property
    def proof(self) -> Proof:
        """What the answer proves: possession, and that the authenticator has verified its user."""
        return Proof.PASSKEY | (Proof.USER_VERIFIED if self.verified.user_verified else Proof.NONE)

    def spend(self, beside: Proof = Proof.NONE) -> None:
        """Store the use, in the transaction of what it allows; beside is what was proved before it.

        Raises InvalidPasskey where another use of the same answer was faster.
        """
        try:
            record_use(self.passkey, self.verified, initializes_user_verification=bool(beside & FIRST))
        except InvalidPasskey as error:
            error.user_id = self.passkey.user_id
            raise


def check_passkey(
    response: AssertionResponse, challenge: bytes, user_id: int | None = None, require_user_verification: bool = False
) -> PasskeyUse:
    """Verify an answer to the options with this challenge; raises InvalidPasskey, with the reason for the audit log.

    The passkey has to be one of this user, if a user is known.
    """
    owned = Passkey.objects.filter(credential_id=response.credential_id).select_related("user")
    passkey = (owned if user_id is None else owned.filter(user=user_id)).first()
    if passkey is None:
        raise InvalidPasskey(reason="unknown passkey")
    try:
        return PasskeyUse(passkey, verify_assertion(passkey, response, challenge, require_user_verification))
    except InvalidPasskey as error:
        error.user_id = passkey.user_id
        raise


def record_suspicion(error: InvalidPasskey, client: ClientInfo) -> None:
    """Record that a passkey may have been copied, if that is why it was refused; after the transaction rolled back."""
    if error.reason in SUSPICIOUS:
        record(Event.PASSKEY_SUSPICIOUS, client, user_id=error.user_id, reason=error.reason)
