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
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.crypto import derive_keys
from latchkey.core.exceptions import TooManyAttempts
from latchkey.db.statements import fetch_all
from latchkey.rate_limits.models import Attempt

LOGIN_ROWS = """
    SELECT %(account)s AS account, %(address)s AS address, %(account_allowance)s AS free, %(last)s AS most,
           %(never)s AS forgets WHERE {known}
    UNION ALL SELECT %(account)s, '', %(account_allowance)s, %(last)s, %(never)s WHERE NOT {known}
    UNION ALL SELECT '', %(address)s, %(address_allowance)s, %(never)s, %(forgets)s WHERE NOT {known}
""".format(known="EXISTS (SELECT 1 FROM latchkey_attempt WHERE account = %(account)s AND address = %(address)s)")
REGISTRATION_ROWS = """
    SELECT '' AS account, %(address)s AS address, %(address_allowance)s AS free, %(never)s AS most,
           %(forgets)s AS forgets
"""
MAIL_ROWS = """
    SELECT %(account)s AS account, '' AS address, %(account_allowance)s AS free, %(never)s AS most,
           %(account_forgets)s AS forgets
    UNION ALL SELECT '', %(address)s, %(address_allowance)s, %(never)s, %(forgets)s
"""
CHARGE = """
WITH charged AS ({charged})
INSERT INTO latchkey_attempt AS a (account, address, failures, last_at, blocked_until)
SELECT account, address, 1, %(now)s, 0 FROM charged
 WHERE NOT EXISTS (SELECT 1 FROM latchkey_attempt AS b
                     JOIN charged AS c ON c.account = b.account AND c.address = b.address
                    WHERE b.blocked_until > %(now)s)
 ORDER BY account, address
    ON CONFLICT (account, address) DO UPDATE
   SET (failures, last_at, blocked_until) = (
       SELECT n, %(now)s, CASE WHEN n < free THEN 0 WHEN n >= most THEN %(now)s + %(never)s
                               WHEN n >= free + 7 THEN %(now)s + %(longest_wait)s
                               ELSE %(now)s + (CAST(%(first_wait)s AS bigint) << CAST(n - free AS integer)) END
         FROM (SELECT free, most, 1 + CASE WHEN %(now)s <= a.last_at THEN a.failures
                                           WHEN (%(now)s - a.last_at) / forgets >= a.failures THEN 0
                                           ELSE a.failures - (%(now)s - a.last_at) / forgets END AS n
                 FROM charged WHERE charged.account = a.account AND charged.address = a.address) AS counted)
 WHERE a.blocked_until <= %(now)s
RETURNING account, address
"""
REFUND = """
INSERT INTO latchkey_attempt AS a (account, address, failures, last_at, blocked_until)
VALUES {refunded} ON CONFLICT (account, address) DO UPDATE
   SET failures = CASE WHEN a.account <> '' OR a.failures < 1 THEN 0 ELSE a.failures - 1 END,
       blocked_until = CASE WHEN a.account <> '' OR a.last_at <= %(now)s THEN 0 ELSE a.blocked_until END
"""
ACCOUNT_ROW = "(%(account)s, '', 0, %(now)s, 0)"
ADDRESS_ROW = "('', %(address)s, 0, %(now)s, 0)"
ACCOUNT_AND_DEVICE_ROWS = "(%(account)s, '', 0, %(now)s, 0), (%(account)s, %(address)s, 0, %(now)s, 0)"


class Action(StrEnum):
    """What is attempted; each is counted apart from the others."""

    LOGIN = "sign-in"
    REGISTRATION = "registration"
    MAIL = "mail"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class RateLimitKey:
    """The keyed digests of an account ('' where none is tried) and of the place that the attempt comes from."""

    account: str
    address: str
    action: Action = Action.LOGIN


def login_key(email: str, client: ClientInfo) -> RateLimitKey:
    """Name the subject of a sign-in; email is canonical, and may belong to nobody."""
    return RateLimitKey(account_digest(email), _digest("address", "login", client_network(client.address)))


def registration_key(client: ClientInfo) -> RateLimitKey:
    """Name the subject of a registration."""
    return RateLimitKey("", _digest("address", "registration", client_network(client.address)), Action.REGISTRATION)


def mail_key(email: str, client: ClientInfo) -> RateLimitKey:
    """Name the subject of a mail that somebody has sent to an address, which is canonical and may be nobody's."""
    return _mailbox_key(Action.MAIL, email, client)


def code_key(email: str, client: ClientInfo) -> RateLimitKey:
    """Name the subject of a code out of a mail to this canonical address.

    It is not that of a sign-in: whoever guesses at a password must not keep its owner from setting a new one.
    """
    return _mailbox_key(Action.CODE, email, client)


def _mailbox_key(action: Action, email: str, client: ClientInfo) -> RateLimitKey:
    address = _digest("address", action, client_network(client.address))
    return RateLimitKey(_digest("account", action, email), address, action)


def account_digest(email: str) -> str:
    return _digest("account", email)


def client_network(address: str | None) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that every IPv6 subscriber has to himself."""
    if address is None or ":" not in address:
        return address or "unknown"
    return str(ip_network(f"{address}/64", strict=False))


def _digest(*parts: str) -> str:
    return hmac.digest(derive_keys("attempts")[0], "\0".join(parts).encode(), "sha256")[:16].hex()


INITIAL_BACKOFF_MS, MAX_BACKOFF_MS = 30_000, 3_600_000
"""Milliseconds: once the free failures are used up, each further one doubles the wait.

psycopg sends a number in the smallest type that holds it, and 30,000 doubled is no smallint any more: hence the CAST.
"""
LOCKOUT_AFTER = 100
"""Neither an account nor a device takes more failures in a row (NIST SP 800-63B-4 section 3.2.2)."""
FOREVER_MS = 10**15
"""Milliseconds, 31,700 years: until a new password, or until an operator lifts it."""
HOUR_MS = 3_600_000
MAILS_PER_ACCOUNT = 3
"""That one address can be sent before the next has to wait; as many are forgotten in an hour."""

ROWS_BY_ACTION = {
    Action.LOGIN: LOGIN_ROWS,
    Action.REGISTRATION: REGISTRATION_ROWS,
    Action.MAIL: MAIL_ROWS,
    Action.CODE: MAIL_ROWS,
}
"""Which rows take the charge."""


@dataclass(frozen=True, slots=True)
class Charge:
    """An attempt that was counted as failed, when (milliseconds), and whether a known device made it."""

    key: RateLimitKey
    charged_at_ms: int
    known_device: bool


def charge(key: RateLimitKey, client: ClientInfo) -> Charge:
    """Count an attempt as failed before it is looked at; raises TooManyAttempts, having changed nothing.

    One statement. Rows that have to wait are left as they are, so that trying on makes no wait longer. The
    attempt is let in exactly if each of its rows took the charge: between two parallel ones, the row decides.
    """
    now, policy = int(clock.now().timestamp() * 1000), current_policy()
    registers, mails = key.action is Action.REGISTRATION, key.action is Action.MAIL
    account_allowance = MAILS_PER_ACCOUNT if mails else policy.failures_per_account
    address_allowance = policy.registrations_per_address if registers else policy.failures_per_address
    allowances = {
        "account_allowance": account_allowance,
        "address_allowance": address_allowance,
        "account_forgets": HOUR_MS // account_allowance,
        "forgets": HOUR_MS // address_allowance,
        "last": LOCKOUT_AFTER,
        "never": FOREVER_MS,
        "first_wait": INITIAL_BACKOFF_MS,
        "longest_wait": MAX_BACKOFF_MS,
    }
    charged = _execute(CHARGE.format(charged=ROWS_BY_ACTION[key.action]), key, now, allowances)
    known = (key.account, key.address) in charged
    if not known and set(charged) != {(key.account, ""), ("", key.address)}:
        record(Event.RATE_LIMIT_EXCEEDED, client, reason=key.action)
        raise TooManyAttempts(headers={"Retry-After": str(_retry_after(key, now))})
    return Charge(key, now, known)


def refund(charge: Charge) -> None:
    """Take a charge back, as the password or the code was right; after a sign-in its device is known from now on.

    The account and the device start anew. The place gets this one attempt back and no more, else a guesser
    could clear it with an account of his own.
    """
    account = ACCOUNT_AND_DEVICE_ROWS if charge.key.action is Action.LOGIN else ACCOUNT_ROW
    refunded = account if charge.known_device else f"{ADDRESS_ROW}, {account}"
    _execute(REFUND.format(refunded=refunded), charge.key, charge.charged_at_ms)


def reset_attempts(email: str) -> None:
    """Forget the failures at an account and of its devices, as after a new password."""
    rows = Attempt.objects.filter(account=account_digest(email))
    with transaction.atomic():
        list(rows.order_by("address").select_for_update())  # in the order in which a refund takes them
        rows.update(failures=0, blocked_until=0)


def _execute(
    statement: str, key: RateLimitKey, now: int, allowances: Mapping[str, int] = MappingProxyType({})
) -> list[tuple[str, str]]:
    """Return the account and the place of each row that the statement changed."""
    parameters = {"account": key.account, "address": key.address, "now": now, **allowances}
    return cast("list[tuple[str, str]]", fetch_all(statement, parameters))


def _retry_after(key: RateLimitKey, now: int) -> int:
    """Return for how many seconds the subject has to wait, at least one."""
    rows = Attempt.objects.filter(account__in=["", key.account], address__in=["", key.address])
    until = {(row.account, row.address): row.blocked_until for row in rows}
    device = until.get((key.account, key.address)) if key.account else None
    latest = max(until.values(), default=0) if device is None else device
    return max(1, -(-min(MAX_BACKOFF_MS, latest - now) // 1000))
