"""Step-up: a signed-in person authenticates again, or with more, and the session remembers it (RFC 9470).

Sensitive changes ask for it, and so can the operator's own services: /api/verify/?acr=aal2&max_age=300.
"""

from functools import partial

from django.db import connection, transaction

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import get_user, reauthenticate
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidFactorCode, InvalidPasskey, InvalidTicket, InvalidToken, WrongPassword
from latchkey.db.statements import fetch_all
from latchkey.factors.delayed_recovery import cancel_after_proof
from latchkey.factors.recent_proof import raise_step_up_required
from latchkey.factors.tickets import TicketPurpose, take_ticket
from latchkey.passkeys.use import record_suspicion
from latchkey.rate_limits.attempts import refund
from latchkey.sign_in.factor_checks import FactorAnswer, FactorCheck, begin_check
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens import access_token
from latchkey.tokens.authentication_methods import Authentication, Proof

UPDATE_SESSION = """
UPDATE latchkey_session SET proof = proof | %(proof)s, authenticated_at = %(now)s
 WHERE id = %(session_id)s AND user_id = %(user_id)s AND credential_version = %(version)s AND expires_at > %(now)s
RETURNING proof
"""


def step_up(  # noqa: PLR0913, PLR0917  # all but two are of the request
    user_id: int, session_id: int, password: str, answer: FactorAnswer, ticket: str, client: ClientInfo
) -> str:
    """Note in the session what its user proves now, and return a new access token.

    An account with a second factor proves that one: a password alone would not raise the session. The ticket is that of
    the options for a passkey. Raises WrongPassword, InvalidFactorCode or InvalidPasskey, InvalidTicket,
    TooManyAttempts, StepUpRequired for a password where a factor is needed, and InvalidToken where the session has just
    ended.
    """
    now = clock.now()
    key, user = signing_key(now), get_user(user_id)
    try:
        check = begin_step_up(user, password, answer, ticket, client)
        authentication = _raise_session(user, session_id, check, client)
    except STEP_UP_ERRORS as error:
        record_failed_step_up(user, error, client, session_id)
        raise
    record(Event.STEP_UP_SUCCEEDED, client, user_id=user.pk, session_id=session_id)
    lifetime = current_policy().access_token_lifetime
    return access_token.issue(user.pk, session_id, now, lifetime, key, authentication, user.token_claims)


def begin_step_up(user: User, password: str, answer: FactorAnswer, ticket: str, client: ClientInfo) -> FactorCheck:
    """Check the password or the passkey, or count an attempt at a code; spending the check refunds the attempt.

    Raises as `step_up` does.
    """
    if not password:
        return begin_check(user, answer, client, _take_challenge(ticket, user) if answer.passkey else b"")
    if user.second_factors:
        raise_step_up_required(user)
    return FactorCheck(Proof.PASSWORD | Proof.REAUTHENTICATED, partial(refund, reauthenticate(user, password, client)))


STEP_UP_ERRORS = (WrongPassword, InvalidFactorCode, InvalidPasskey)
"""What a step-up is refused with after something was compared."""


def record_failed_step_up(
    user: User,
    error: WrongPassword | InvalidFactorCode | InvalidPasskey,
    client: ClientInfo,
    session_id: int | None = None,
) -> None:
    """Record a step-up that was refused, after the transaction that the refusal rolled back."""
    if isinstance(error, InvalidPasskey):
        record_suspicion(error, client)
    record(Event.STEP_UP_FAILED, client, user_id=user.pk, session_id=session_id)


def _take_challenge(ticket: str, user: User) -> bytes:
    """Use up the ticket of the options for a passkey, and return its challenge; raises InvalidTicket."""
    state = take_ticket(ticket, TicketPurpose.STEP_UP, clock.now())
    if state is None or (state.user_id, state.credential_version) != (user.pk, user.credential_version):
        raise InvalidTicket
    return state.challenge


@transaction.atomic
def _raise_session(user: User, session_id: int, check: FactorCheck, client: ClientInfo) -> Authentication:
    check.spend()
    now = clock.now()
    named = {"session_id": session_id, "user_id": user.pk, "version": user.credential_version}
    named["proof"] = int(check.proof)
    rows = fetch_all(UPDATE_SESSION, {**named, "now": connection.ops.adapt_datetimefield_value(now)})
    if not rows:
        raise InvalidToken
    cancel_after_proof(user, check.proof, client)
    return Authentication(rows[0][0], int(now.timestamp()))
