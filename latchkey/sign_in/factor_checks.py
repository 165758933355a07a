"""Checks of a second factor, for sign-in and for step-up: count the attempt, compare, use up, refund.

One-time passwords and recovery codes are counted apart, so that guesses at the one never keep the owner from using the
other (ayunis-core PR#940). Only who has given the password can guess at either, so a stranger locks nobody out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidFactorCode
from latchkey.factors import recovery_codes, totp
from latchkey.rate_limits.attempts import Charge, charge, refund
from latchkey.rate_limits.keys import factor_key, recovery_key
from latchkey.tokens.authentication_methods import Proof


@dataclass(frozen=True, slots=True)
class FactorAnswer:
    """What a person gives for a second factor: a one-time password, a recovery code, or a passkey's response."""

    code: str = ""
    recovery_code: str = ""
    passkey: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class FactorCheck:
    """An attempt that was counted: what it would prove, and how to compare and use up what was given.

    spend is called in the transaction of what the proof allows. It raises InvalidFactorCode.
    """

    proof: Proof
    spend: Callable[[], None]


def begin_check(user: User, answer: FactorAnswer, client: ClientInfo) -> FactorCheck:
    """Count an attempt at a second factor of this user before anything is compared; raises TooManyAttempts."""
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
        raise InvalidFactorCode({"recovery_code": [InvalidFactorCode.detail]})
    record(Event.RECOVERY_CODE_USED, client, user_id=user.pk, reason=f"{left} left")


def record_refusal(user: User, answer: FactorAnswer, client: ClientInfo) -> None:
    """Record a wrong answer, after the transaction that it rolled back."""
    kind = "totp" if answer.code else "recovery_code" if answer.recovery_code else "passkey"
    record(Event.FACTOR_REFUSED, client, user_id=user.pk, reason=kind)
