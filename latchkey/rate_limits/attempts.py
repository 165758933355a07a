"""The statements that count attempts; attempts.py says what each is for. Both databases take the same words.

Whom an attempt is charged to.

Count attempts before they are looked at, and make guessers wait.

An attempt is charged before the password is compared, and refunded when it was right: so a hundred parallel
guesses cannot slip in between a check and a count. A device that signed in to the account before is charged by
itself; everybody else is charged by account and by place together. So strangers make strangers wait, never the
owner's devices; and while a subject has to wait, a right password is not looked at either.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from types import MappingProxyType
from typing import cast

from django.db import transaction

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import current
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.core.crypto import keys_for
from latchkey.core.exceptions import TooManyAttempts
from latchkey.db.cursor import fetch
from latchkey.rate_limits.models import Attempt

SIGNING_IN = """
    SELECT %(account)s AS account, %(place)s AS place, %(free_of_account)s AS free, %(last)s AS most,
           %(never)s AS forgets WHERE {known}
    UNION ALL SELECT %(account)s, '', %(free_of_account)s, %(last)s, %(never)s WHERE NOT {known}
    UNION ALL SELECT '', %(place)s, %(free_of_place)s, %(never)s, %(forgets)s WHERE NOT {known}
""".format(known="EXISTS (SELECT 1 FROM latchkey_attempt WHERE account = %(account)s AND place = %(place)s)")
REGISTERING = """
    SELECT '' AS account, %(place)s AS place, %(free_of_place)s AS free, %(never)s AS most, %(forgets)s AS forgets
"""
MAILING = """
    SELECT %(account)s AS account, '' AS place, %(free_of_account)s AS free, %(never)s AS most,
           %(account_forgets)s AS forgets
    UNION ALL SELECT '', %(place)s, %(free_of_place)s, %(never)s, %(forgets)s
"""
CHARGE = """
WITH charged AS ({charged})
INSERT INTO latchkey_attempt AS a (account, place, failures, last_at, blocked_until)
SELECT account, place, 1, %(now)s, 0 FROM charged
 WHERE NOT EXISTS (SELECT 1 FROM latchkey_attempt AS b JOIN charged AS c ON c.account = b.account AND c.place = b.place
                    WHERE b.blocked_until > %(now)s)
 ORDER BY account, place
    ON CONFLICT (account, place) DO UPDATE
   SET (failures, last_at, blocked_until) = (
       SELECT n, %(now)s, CASE WHEN n < free THEN 0 WHEN n >= most THEN %(now)s + %(never)s
                               WHEN n >= free + 7 THEN %(now)s + %(longest_wait)s
                               ELSE %(now)s + (CAST(%(first_wait)s AS bigint) << CAST(n - free AS integer)) END
         FROM (SELECT free, most, 1 + CASE WHEN %(now)s <= a.last_at THEN a.failures
                                           WHEN (%(now)s - a.last_at) / forgets >= a.failures THEN 0
                                           ELSE a.failures - (%(now)s - a.last_at) / forgets END AS n
                 FROM charged WHERE charged.account = a.account AND charged.place = a.place) AS counted)
 WHERE a.blocked_until <= %(now)s
RETURNING account, place
"""
REFUND = """
INSERT INTO latchkey_attempt AS a (account, place, failures, last_at, blocked_until)
VALUES {refunded} ON CONFLICT (account, place) DO UPDATE
   SET failures = CASE WHEN a.account <> '' OR a.failures < 1 THEN 0 ELSE a.failures - 1 END,
       blocked_until = CASE WHEN a.account <> '' OR a.last_at <= %(now)s THEN 0 ELSE a.blocked_until END
"""
ACCOUNT = "(%(account)s, '', 0, %(now)s, 0)"
PLACE = "('', %(place)s, 0, %(now)s, 0)"
ACCOUNT_AND_DEVICE = "(%(account)s, '', 0, %(now)s, 0), (%(account)s, %(place)s, 0, %(now)s, 0)"


class Attempted(StrEnum):
    """What is attempted; each is counted apart from the others."""

    SIGN_IN = "sign-in"
    REGISTRATION = "registration"
    MAIL = "mail"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Subject:
    """The keyed digests of an account ('' where none is tried) and of the place that the attempt comes from."""

    account: str
    place: str
    attempted: Attempted = Attempted.SIGN_IN


def signing_in(email: str, client: Client) -> Subject:
    """Name the subject of a sign-in; email is canonical, and may belong to nobody."""
    return Subject(account_digest(email), _digest("place", "login", network(client.address)))


def registering(client: Client) -> Subject:
    """Name the subject of a registration."""
    return Subject("", _digest("place", "registration", network(client.address)), Attempted.REGISTRATION)


def mailing(email: str, client: Client) -> Subject:
    """Name the subject of a mail that somebody has sent to an address, which is canonical and may be nobody's."""
    return _of_mailbox(Attempted.MAIL, email, client)


def typing_code(email: str, client: Client) -> Subject:
    """Name the subject of a code out of a mail to this canonical address.

    It is not that of a sign-in: whoever guesses at a password must not keep its owner from setting a new one.
    """
    return _of_mailbox(Attempted.CODE, email, client)


def _of_mailbox(attempted: Attempted, email: str, client: Client) -> Subject:
    place = _digest("place", attempted, network(client.address))
    return Subject(_digest("account", attempted, email), place, attempted)


def account_digest(email: str) -> str:
    return _digest("account", email)


def network(address: str | None) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that every IPv6 subscriber has to himself."""
    if address is None or ":" not in address:
        return address or "unknown"
    return str(ip_network(f"{address}/64", strict=False))


def _digest(*parts: str) -> str:
    return hmac.digest(keys_for("attempts")[0], "\0".join(parts).encode(), "sha256")[:16].hex()


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
