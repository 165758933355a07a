"""What a change of second factors entails: the count on the user, the end of other sessions, and an event.

A factor that is added must also bind sessions that were opened without it, and one that is removed must end those that
it protected; so all other sessions end (supabase/auth#979; ASVS 7.4.3).
"""

from dataclasses import dataclass

from django.db import connection

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record, record_by
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.db.statements import fetch_all
from latchkey.tokens.authentication_methods import Proof

CHANGE_USER = """
UPDATE latchkey_user SET second_factors = second_factors + %(delta)s, credential_version = credential_version + 1
 WHERE id = %(user_id)s AND is_active AND credential_version = %(version)s
RETURNING credential_version, second_factors
"""
KEEP_SESSION = """
UPDATE latchkey_session
   SET credential_version = %(new_version)s, proof = proof | %(proof)s, authenticated_at = %(now)s
 WHERE id = %(session_id)s AND user_id = %(user_id)s AND credential_version = %(version)s
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class FactorChange:
    """A change of one factor: its event, how many factors it adds (-1 to 1), its kind, and what it proved just now."""

    event: Event
    delta: int
    kind: str
    proof: Proof = Proof.NONE


def change_factors(user: User, change: FactorChange, client: ClientInfo | None, session_id: int | None = None) -> int:
    """Count the factors anew, end every session of the user but one, and record the event; return the count.

    Called in the transaction that adds or removes the factor. `user` is as it was read with the session: its
    credential_version decides, and is raised on the object, too. The session that is kept gains the proof. Raises
    InvalidToken where another change was faster.
    """
    now = connection.ops.adapt_datetimefield_value(clock.now())
    version = user.credential_version
    rows = fetch_all(CHANGE_USER, {"delta": change.delta, "user_id": user.pk, "version": version})
    if not rows:
        raise InvalidToken
    user.credential_version, user.second_factors = rows[0]
    if session_id is not None:
        named = {"session_id": session_id, "user_id": user.pk, "version": version, "now": now}
        fetch_all(KEEP_SESSION, {**named, "new_version": user.credential_version, "proof": int(change.proof)})
    record(change.event, client, user_id=user.pk, session_id=session_id, reason=change.kind)
    return user.second_factors


DELETE_FACTORS = tuple(
    f"DELETE FROM {table} WHERE user_id = %(user_id)s"  # noqa: S608 - names of ours
    for table in ("latchkey_totp", "latchkey_passkey", "latchkey_recovery_code", "latchkey_ticket")
)
RESET_USER = """
UPDATE latchkey_user SET second_factors = 0, credential_version = credential_version + 1 WHERE id = %(user_id)s
RETURNING credential_version
"""


def reset_factors(user: User, operator: Operator, reason: str) -> None:
    """Delete all factors of a user who has lost them at an operator's request, in the caller's transaction.

    The reason is the operator's, and stands in the event `factor.reset`, of which the person is told by mail.
    """
    delete_factors(user)
    record_by(operator, Event.FACTOR_RESET, user_id=user.pk, detail=reason)


def delete_factors(user: User) -> None:
    """Delete all factors and tickets of a user, and end every session, in the caller's transaction."""
    ((user.credential_version,),) = fetch_all(RESET_USER, {"user_id": user.pk})
    user.second_factors = 0
    for statement in DELETE_FACTORS:
        fetch_all(statement, {"user_id": user.pk})
