"""Checks of a second factor, for sign-in and for step-up: count the attempt, compare, use up, refund.

One-time passwords and recovery codes are counted apart, so that guesses at the one never keep the owner from using the
other (ayunis-core PR#940). Only who has given the password can guess at either, so a stranger locks nobody out.
Passkeys cannot be guessed; their failures count for the address alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidFactorCode, InvalidPasskey
from latchkey.factors import recovery_codes, totp
from latchkey.factors.locking import lock_user
from latchkey.passkeys.responses import AssertionResponse
from latchkey.passkeys.use import PasskeyUse, check_passkey, record_suspicion
from latchkey.rate_limits.attempts import Charge, charge, refund
from latchkey.rate_limits.keys import factor_key, passkey_key, recovery_key
from latchkey.tokens.authentication_methods import Proof

WRONG_RECOVERY_CODE = "The recovery code is wrong or was used before."


@dataclass(frozen=True, slots=True)
class FactorAnswer:
    """What a person gives for a second factor: a one-time password, a recovery code, or a passkey's response."""

    code: str = ""
    recovery_code: str = ""
    passkey: AssertionResponse | None = None


@dataclass(frozen=True, slots=True)
class FactorCheck:
    """An attempt that was counted: what it would prove, and how to compare and use up what was given.

    spend is called in the transaction of what the proof allows. It raises InvalidFactorCode or InvalidPasskey.
    """

    proof: Proof
    spend: Callable[[], None]


def begin_check(
    user: User, answer: FactorAnswer, client: ClientInfo, challenge: bytes = b"", beside: Proof = Proof.NONE
) -> FactorCheck:
    """Count an attempt at a second factor of this user before anything is compared; raises TooManyAttempts.

    challenge is that of the options for a passkey, whose answer is verified here: raises InvalidPasskey. beside is what
    was proved before.
    """
    if answer.passkey:
        charged = charge(passkey_key(client), client)
        use = check_passkey(answer.passkey, challenge, user.pk)
        return FactorCheck(use.proof, partial(_spend_passkey, use, beside, charged))
    if answer.code:
        charged = charge(factor_key(user.email, client), client)
        return FactorCheck(Proof.TOTP, partial(_spend_code, user, answer.code, charged))
    charged = charge(recovery_key(user.email, client), client)
    return FactorCheck(Proof.RECOVERY_CODE, partial(_spend_recovery_code, user, answer.recovery_code, charged, client))


def _spend_code(user: User, code: str, charged: Charge) -> None:
    refund(charged)  # first, as it locks the rows that all attempts lock first; rolled back for a wrong code
    if not totp.use_code(user.pk, code, clock.now()):
        raise InvalidFactorCode


def _spend_recovery_code(user: User, code: str, charged: Charge, client: ClientInfo) -> None:
    refund(charged)
    left = recovery_codes.use_code(user.pk, code)
    if left is None:
        raise InvalidFactorCode({"recovery_code": [WRONG_RECOVERY_CODE]})
    record(Event.RECOVERY_CODE_USED, client, user_id=user.pk, reason=f"{left} left")


def _spend_passkey(use: PasskeyUse, beside: Proof, charged: Charge) -> None:
    refund(charged)
    lock_user(use.passkey.user_id)
    use.spend(beside)


def record_refusal(
    user: User, answer: FactorAnswer, client: ClientInfo, error: InvalidFactorCode | InvalidPasskey
) -> None:
    """Record a wrong answer, after the transaction that it rolled back."""
    if isinstance(error, InvalidPasskey):
        record(Event.FACTOR_REFUSED, client, user_id=user.pk, reason=f"passkey: {error.reason}")
        record_suspicion(error, client)
    else:
        record(Event.FACTOR_REFUSED, client, user_id=user.pk, reason="totp" if answer.code else "recovery_code")
