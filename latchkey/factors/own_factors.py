"""Second factors of a signed-in user: set up an authenticator app, remove it, make new recovery codes.

Every change needs a recent proof, ends all other sessions, and is an event of which the user is told by mail. The user
is counted anew before the factor itself changes: rows are locked in the order of `locking.py`, and what comes after
rolls both back.
"""

from dataclasses import dataclass

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import get_user
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidFactorCode, NoSecondFactor, NotFound
from latchkey.factors import recovery_codes, totp
from latchkey.factors.changes import FactorChange, change_factors
from latchkey.factors.enrolment_rules import require_open_enrolment
from latchkey.factors.recent_proof import require_recent_proof
from latchkey.rate_limits.attempts import Charge, charge, refund
from latchkey.rate_limits.keys import factor_key
from latchkey.tokens.authentication_methods import Authentication, Proof

TOTP = "totp"
"""Kind of an authenticator app in events and lists of factors."""

WRONG_OR_EXPIRED = "The code is wrong, or the time to set the app up is over: then begin again."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for a change: the user and the session of an access token, and what that session has proved.

    session_id is None in a browser, whose session is the cookie's.
    """

    user_id: int
    session_id: int | None
    authentication: Authentication


def begin_totp(caller: Caller) -> totp.TotpEnrolment:
    """Return the secret of a new authenticator app, which is no factor before confirm_totp.

    Raises EnrolmentClosed, EmailNotVerified, StepUpRequired, or TotpExists.
    """
    user = _proven_user(caller)
    require_open_enrolment(user)
    return totp.begin_enrolment(user)


def confirm_totp(caller: Caller, code: str, client: ClientInfo) -> list[str]:
    """Make the new app a factor, and return new recovery codes; [] where the user has some already.

    The attempt counts as a use of a one-time password: otherwise its limit could be got around here
    (django-allauth 65.19.2). Raises InvalidFactorCode, TooManyAttempts before the code is compared, EnrolmentClosed,
    EmailNotVerified, StepUpRequired, or InvalidToken where another change was faster.
    """
    user = _proven_user(caller)
    require_open_enrolment(user)
    charged = charge(factor_key(user.email, client), client)
    try:
        return _add_totp(user, caller.session_id, code, charged, client)
    except InvalidFactorCode:
        record(Event.FACTOR_REFUSED, client, user_id=user.pk, session_id=caller.session_id, reason=TOTP)
        raise


@transaction.atomic
def _add_totp(user: User, session_id: int | None, code: str, charged: Charge, client: ClientInfo) -> list[str]:
    refund(charged)
    change_factors(user, FactorChange(Event.FACTOR_ADDED, 1, TOTP, Proof.TOTP), client, session_id)
    if not totp.confirm_enrolment(user.pk, code, clock.now()):
        raise InvalidFactorCode({"code": [WRONG_OR_EXPIRED]})
    return [] if recovery_codes.count(user.pk) else recovery_codes.renew(user.pk)


@transaction.atomic
def remove_totp(caller: Caller, client: ClientInfo) -> None:
    """Remove the authenticator app; with the last factor its recovery codes end.

    Raises StepUpRequired, NotFound where there is none, or InvalidToken where another change was faster.
    """
    user = _proven_user(caller)
    if not totp.is_confirmed(user.pk):
        raise NotFound
    left = change_factors(user, FactorChange(Event.FACTOR_REMOVED, -1, TOTP), client, caller.session_id)
    totp.remove(user.pk)
    if not left:
        recovery_codes.remove_all(user.pk)


@transaction.atomic
def renew_recovery_codes(caller: Caller, client: ClientInfo) -> list[str]:
    """Replace all recovery codes by ten new ones, and return them.

    Raises StepUpRequired, NoSecondFactor, or InvalidToken where another change was faster.
    """
    user = _proven_user(caller)
    if not user.second_factors:
        raise NoSecondFactor
    change_factors(user, FactorChange(Event.RECOVERY_CODES_RENEWED, 0, ""), client, caller.session_id)
    return recovery_codes.renew(user.pk)


def _proven_user(caller: Caller) -> User:
    user = get_user(caller.user_id)
    require_recent_proof(user, caller.authentication)
    return user
