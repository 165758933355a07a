"""Count attempts before they are looked at, and make guessers wait.

An attempt is charged before the password is compared, and refunded when it was right: so a hundred parallel
guesses cannot slip in between a check and a count. A device that signed in to the account before is charged by
itself; everybody else is charged by account and by place together. So strangers make strangers wait, never the
owner's devices; and while a subject has to wait, a right password is not looked at either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from django.db import transaction

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.core.cursor import fetch
from latchkey.core.errors import TooManyAttempts
from latchkey.core.policy import current
from latchkey.limits.models import Attempt
from latchkey.limits.statements import (
    ACCOUNT,
    ACCOUNT_AND_DEVICE,
    CHARGE,
    MAILING,
    PLACE,
    REFUND,
    REGISTERING,
    SIGNING_IN,
)
from latchkey.limits.subjects import Attempted, Subject, account_digest

FIRST_WAIT, LONGEST_WAIT = 30_000, 3_600_000
"""Milliseconds: once the free failures are used up, each further one doubles the wait.

psycopg sends a number in the smallest type that holds it, and 30,000 doubled is no smallint any more: hence the CAST.
"""
LAST_FAILURE = 100
"""Neither an account nor a device takes more failures in a row (NIST SP 800-63B-4 section 3.2.2)."""
NEVER = 10**15
"""Milliseconds, 31,700 years: until a new password, or until an operator lifts it."""
HOUR = 3_600_000
MAILS_PER_ACCOUNT = 3
"""That one address can be sent before the next has to wait; as many are forgotten in an hour."""

CHARGED = {
    Attempted.SIGN_IN: SIGNING_IN,
    Attempted.REGISTRATION: REGISTERING,
    Attempted.MAIL: MAILING,
    Attempted.CODE: MAILING,
}
"""Which rows take the charge."""


@dataclass(frozen=True, slots=True)
class Charge:
    """An attempt that was counted as failed, when (milliseconds), and whether a known device made it."""

    subject: Subject
    at: int
    known: bool


def charge(subject: Subject, client: Client) -> Charge:
    """Count an attempt as failed before it is looked at; raises TooManyAttempts, having changed nothing.

    One statement. Rows that have to wait are left as they are, so that trying on makes no wait longer. The
    attempt is let in exactly if each of its rows took the charge: between two parallel ones, the row decides.
    """
    now, policy = int(clock.now().timestamp() * 1000), current()
    registers, mails = subject.attempted is Attempted.REGISTRATION, subject.attempted is Attempted.MAIL
    free_of_account = MAILS_PER_ACCOUNT if mails else policy.failures_per_account
    free_of_place = policy.registrations_per_address if registers else policy.failures_per_address
    allowances = {
        "free_of_account": free_of_account,
        "free_of_place": free_of_place,
        "account_forgets": HOUR // free_of_account,
        "forgets": HOUR // free_of_place,
        "last": LAST_FAILURE,
        "never": NEVER,
        "first_wait": FIRST_WAIT,
        "longest_wait": LONGEST_WAIT,
    }
    charged = _taken(CHARGE.format(charged=CHARGED[subject.attempted]), subject, now, allowances)
    known = (subject.account, subject.place) in charged
    if not known and set(charged) != {(subject.account, ""), ("", subject.place)}:
        record(Event.ATTEMPT_LIMITED, client, reason=subject.attempted)
        raise TooManyAttempts(headers={"Retry-After": str(_wait(subject, now))})
    return Charge(subject, now, known)


def refund(charge: Charge) -> None:
    """Take a charge back, as the password or the code was right; after a sign-in its device is known from now on.

    The account and the device start anew. The place gets this one attempt back and no more, else a guesser
    could clear it with an account of his own.
    """
    account = ACCOUNT_AND_DEVICE if charge.subject.attempted is Attempted.SIGN_IN else ACCOUNT
    refunded = account if charge.known else f"{PLACE}, {account}"
    _taken(REFUND.format(refunded=refunded), charge.subject, charge.at)


def forgive(email: str) -> None:
    """Forget the failures at an account and of its devices, as after a new password."""
    rows = Attempt.objects.filter(account=account_digest(email))
    with transaction.atomic():
        list(rows.order_by("place").select_for_update())  # in the order in which a refund takes them
        rows.update(failures=0, blocked_until=0)


def _taken(
    statement: str, subject: Subject, now: int, allowances: Mapping[str, int] = MappingProxyType({})
) -> list[tuple[str, str]]:
    """Return the account and the place of each row that the statement changed."""
    parameters = {"account": subject.account, "place": subject.place, "now": now, **allowances}
    return cast("list[tuple[str, str]]", fetch(statement, parameters))


def _wait(subject: Subject, now: int) -> int:
    """Return for how many seconds the subject has to wait, at least one."""
    rows = Attempt.objects.filter(account__in=["", subject.account], place__in=["", subject.place])
    until = {(row.account, row.place): row.blocked_until for row in rows}
    device = until.get((subject.account, subject.place)) if subject.account else None
    latest = max(until.values(), default=0) if device is None else device
    return max(1, -(-min(LONGEST_WAIT, latest - now) // 1000))
