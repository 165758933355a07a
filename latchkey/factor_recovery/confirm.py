"""Confirmation of a recovery that is due: the link or the code of the mail removes every second factor.

No session is opened. The person signs in with the password, and sets up a new factor, at once where the policy requires
one.
"""

from django.db import connection, transaction

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidCode
from latchkey.db.clocks import earlier_now
from latchkey.db.statements import fetch_all
from latchkey.email_codes.models import OneTimeCode, Purpose
from latchkey.email_codes.one_time_codes import Submitted, consume, lookup
from latchkey.factor_recovery.reminders import is_possible
from latchkey.factors.changes import delete_factors
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.locking import lock_user

TAKE_DUE = """
DELETE FROM latchkey_factor_recovery
 WHERE user_id = %(user_id)s AND credential_version = %(version)s AND email = %(email)s
   AND due_at <= %(now)s AND due_at <= %(issued_at)s
RETURNING id
"""
"""The second comparison is for a code of an earlier recovery, which was cancelled after it was sent."""


def find_due_code(presented: Submitted, client: ClientInfo) -> OneTimeCode:
    """Return the code of a recovery that is due, with its user; nothing is used up.

    Raises InvalidCode, also where the recovery was cancelled, and TooManyAttempts.
    """
    code = lookup(Purpose.FACTOR_RECOVERY, presented, client)
    waits_for_it = FactorRecovery.objects.filter(
        user_id=code.user_id, due_at__lte=min(earlier_now(), code.created_at), code_sent_at__isnull=False
    )
    if not is_possible() or code.user.is_staff or not waits_for_it.exists():
        raise InvalidCode
    return code


def confirm_recovery(presented: Submitted, client: ClientInfo) -> None:
    """Remove all second factors of the user, and end every session; raises as `find_due_code`.

    The deletion of the recovery decides: of any number of requests at once one succeeds, and one that was cancelled or
    is not due by the clocks of this node and of the database removes nothing.
    """
    code = find_due_code(presented, client)
    with transaction.atomic():
        lock_user(code.user_id)
        consume(code)
        if not _take_due(code):
            raise InvalidCode
        delete_factors(code.user)
        record(Event.FACTOR_RESET, client, user_id=code.user_id, reason="delayed recovery")


def _take_due(code: OneTimeCode) -> bool:
    adapt = connection.ops.adapt_datetimefield_value
    named = {"user_id": code.user_id, "version": code.credential_version, "email": code.email}
    return bool(fetch_all(TAKE_DUE, {**named, "now": adapt(earlier_now()), "issued_at": adapt(code.created_at)}))
