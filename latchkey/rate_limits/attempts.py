"""Rate limits of guessable endpoints: count each attempt before it is checked, and refund it if it succeeds.

They stop brute force (many guesses at one account or code) and slow down user enumeration and password spraying (many
accounts from one address). Unknown e-mail addresses are counted like known ones, so a limit does not tell which exist.

- An attempt is counted *before* the password is compared, so that a hundred parallel guesses cannot slip in between a
  check and a count. While a limit holds, a right password is not compared either.
- A known device, an account at an IP address where it signed in before, has limits of its own. All others are counted
  by account and by IP address together. So an attacker makes other unknown devices wait, and never locks the owner's
  devices out. Which devices are known is not told: where an unknown one is limited, a wrong password on a known one
  gets 429, too (docs/decisions/0033).
- Counters are rows of `latchkey_attempt`, shared by all processes and nodes; to charge takes one statement.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from django.db import connection, transaction

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import TooManyAttempts
from latchkey.db.statements import fetch_all
from latchkey.rate_limits.keys import SIGN_IN_ACTIONS, Action, RateLimitKey, account_digest
from latchkey.rate_limits.models import Attempt

INITIAL_BACKOFF_MS, MAX_BACKOFF_MS = 30_000, 3_600_000
"""Milliseconds to wait after the last allowed failure; each further failure doubles the wait, up to an hour.

psycopg sends a number in the smallest type that holds it, and 30,000 doubled is no smallint any more: hence the CAST.
"""
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
LOCKOUT_AFTER, LOCKOUT_MS = 100, DAY_MS
"""Failures in a row after which an account or a device is locked, and for how long (docs/decisions/0032).

NIST SP 800-63B-4 section 3.2.2 allows 100. A lock ends by itself, because strangers cause it: after that each further
failure locks for another day.
"""
KNOWN_DEVICES_FACTOR = 10
"""Times FAILURES_PER_ADDRESS: failures of all known devices at an address before these have to wait, too."""
SIGN_INS_FACTOR = 100
"""Times FAILURES_PER_ADDRESS: sign-ins from an address, right ones included, before the next ones have to wait.

A right password costs as much work as a wrong one. The number is for a large office, a school or a carrier's NAT.
"""
NEVER = 10**15
"""A number of failures that no counter reaches: no lockout."""
FACTOR_FAILURES = 5
"""Wrong one-time passwords, or wrong recovery codes, in a row before the next attempts at an account must wait."""
MAILS_PER_ACCOUNT = 3
"""Mails that an e-mail address can be sent on request before the next must wait; the counter decays by 3 per hour."""

# The rows that an attempt is charged to, with the limits of each: `allowance` failures are free, at `lockout` it is
# locked, and one failure is forgotten in `decay_ms`. A blocked row with `binds` refuses the attempt. `weight` is what
# the attempt counts: 0 for a row that is only looked at. Without an address, '', there is no row of the address.

LOGIN_ROWS = """
    SELECT %(account)s AS account, '' AS address, %(account_allowance)s AS allowance, %(lockout)s AS lockout,
           %(login_decay)s AS decay_ms, NOT {known} AS binds, CASE WHEN {known} THEN 0 ELSE 1 END AS weight
    UNION ALL SELECT '', %(address)s, %(address_allowance)s, %(never)s, %(address_decay)s, NOT {known}, 1
               WHERE %(address)s <> ''
    UNION ALL SELECT %(account)s, %(address)s, %(account_allowance)s, %(lockout)s, %(login_decay)s, TRUE, 1
               WHERE {known}
    UNION ALL SELECT '', %(known_devices)s, %(known_allowance)s, %(never)s, %(known_decay)s, TRUE, 1 WHERE {known}
    UNION ALL SELECT '', %(sign_ins)s, %(sign_ins_allowance)s, %(never)s, %(sign_ins_decay)s, TRUE, 1
               WHERE %(sign_ins)s <> ''
""".format(
    known="""EXISTS (SELECT 1 FROM latchkey_attempt
                     WHERE account = %(account)s AND address = %(address)s AND %(address)s <> '')"""
)
"""An unknown device: the rows of the account and of the address. A known one: its own row and that of all known devices
at the address; its failures count for the address, too. The rows that do not bind it tell whether they are blocked.
Both: the row of all sign-ins at the address."""
ADDRESS_ROWS = """
    SELECT '' AS account, %(address)s AS address, %(address_allowance)s AS allowance, %(never)s AS lockout,
           %(address_decay)s AS decay_ms, TRUE AS binds, 1 AS weight WHERE %(address)s <> ''
"""
MAIL_ROWS = """
    SELECT %(account)s AS account, '' AS address, %(account_allowance)s AS allowance, %(never)s AS lockout,
           %(account_decay)s AS decay_ms, TRUE AS binds, 1 AS weight
    UNION ALL SELECT '', %(address)s, %(address_allowance)s, %(never)s, %(address_decay)s, TRUE, 1
               WHERE %(address)s <> ''
"""
ROWS_BY_ACTION = {
    Action.LOGIN: LOGIN_ROWS,
    Action.REGISTRATION: ADDRESS_ROWS,
    Action.MAIL: MAIL_ROWS,
    Action.CODE: MAIL_ROWS,
    Action.FACTOR: LOGIN_ROWS,
    Action.RECOVERY: LOGIN_ROWS,
    Action.PASSKEY: ADDRESS_ROWS,
}
ACCOUNT_ALLOWANCES = {
    Action.MAIL: MAILS_PER_ACCOUNT,
    Action.FACTOR: FACTOR_FAILURES,
    Action.RECOVERY: FACTOR_FAILURES,
}
"""Attempts at an account that are free, where that is not FAILURES_PER_ACCOUNT."""

CHARGE = """
WITH charged AS ({charged})
INSERT INTO latchkey_attempt AS a (account, address, failures, last_at, blocked_until)
SELECT account, address, weight, %(now)s, 0 FROM charged
 WHERE NOT EXISTS (SELECT 1 FROM latchkey_attempt AS b
                     JOIN charged AS c ON c.account = b.account AND c.address = b.address
                    WHERE c.binds AND b.blocked_until > %(now)s)
 ORDER BY account, address
    ON CONFLICT (account, address) DO UPDATE
   SET (failures, last_at, blocked_until) = (
       SELECT CASE WHEN weight = 0 THEN a.failures ELSE kept + 1 END,
              CASE WHEN weight = 0 THEN a.last_at
                   WHEN a.account <> '' OR %(now)s <= a.last_at OR kept = 0 THEN %(now)s
                   ELSE a.last_at + (a.failures - kept) * decay_ms END,
              CASE WHEN weight = 0 OR kept + 1 < allowance THEN 0
                   WHEN kept + 1 >= lockout THEN %(now)s + %(lockout_time)s
                   WHEN kept + 1 >= allowance + 7 THEN %(now)s + %(max_backoff)s
                   ELSE %(now)s + (CAST(%(initial_backoff)s AS bigint) << CAST(kept + 1 - allowance AS integer)) END
         FROM (SELECT allowance, lockout, decay_ms, weight,
                      CASE WHEN %(now)s <= a.last_at THEN a.failures
                           WHEN (%(now)s - a.last_at) / decay_ms >= a.failures THEN 0
                           ELSE a.failures - (%(now)s - a.last_at) / decay_ms END AS kept
                 FROM charged WHERE charged.account = a.account AND charged.address = a.address) AS counted)
 WHERE a.blocked_until <= %(now)s
RETURNING account, address, blocked_until
"""
# `kept` is what is left of the failures before this one. At an address, `last_at` moves by whole decay times only, so
# that the counter decays under steady traffic, too. That of an account moves to the present: it takes a time in peace.
#
# Worked examples: account A, addresses X and Y, default limits. A row is (account, address): failures, blocked_until.
# The row of all sign-ins at the address is left out: each admitted one adds 1 to it, which REFUND does not take back.
#
# 1. The first failure, from X. There is no row (A, X), so X is no known device, and two rows are charged:
#        (A, ''): 1, 0        ('', X): 1, 0
#    Both are returned: the attempt is admitted, and the password is compared.
#
# 2. The tenth failure in a row, from X. The account has 9, and its allowance is 10; that of the address is 100:
#        (A, ''): 10, blocked for 30 s << (10 - 10) = 30 s        ('', X): 10, 0
#    It is admitted, too: its own count says how long the next one has to wait. An attempt within the 30 s, from
#    anywhere, finds blocked_until > now in NOT EXISTS and charges nothing: no row is returned, and the client gets 429
#    with Retry-After. The eleventh failure makes it 30 s << 1 = 60 s, the twelfth 120 s, the seventeenth 1 h (30 s << 7
#    would be more), the hundredth locks the account for a day. The address forgets one failure in 36 s (1 h / 100), the
#    account one in a day.
#
# 3. The owner, from Y, where this account was signed in to before, while A is blocked. There is a row (A, Y), so four
#    rows are charged; K is the digest of all known devices at Y:
#        (A, Y): 1, 0        ('', K): 1, 0        ('', Y): 1, 0        (A, ''): unchanged, and not returned
#    (A, Y) and ('', K) bind, and are returned: the password is compared. If it is right, REFUND sets (A, '') and (A, Y)
#    to 0 failures, not blocked: that unlocks the account for all. ('', K) and ('', Y) get their failure back. If it is
#    wrong, the answer is 429, as (A, '') was not returned: a stranger at Y, who was not admitted, got the same.
#
# 4. A stranger at Y has filled ('', Y) with guesses at nobody. Guesses at A from there are still compared, up to the
#    tenth of (A, Y) and the thousandth of ('', K), but a wrong one is answered 429, like a guess at anybody else.
REFUND = """
INSERT INTO latchkey_attempt AS a (account, address, failures, last_at, blocked_until)
VALUES {refunded} ON CONFLICT (account, address) DO UPDATE
   SET failures = CASE WHEN {is_reset} OR a.failures < 1 THEN 0 ELSE a.failures - 1 END,
       blocked_until = CASE WHEN {is_reset} OR a.blocked_until IN ({own_blocks}) THEN 0 ELSE a.blocked_until END
"""
"""After a success account and device rows are reset. A row that is not gets one failure back, and is unblocked if this
charge is what blocked it."""


@dataclass(frozen=True, slots=True)
class Charge:
    """An attempt that was counted as failed: its key, the time in milliseconds, and the charged rows.

    `rows` has blocked_until by account and address. `hides_device` says that a known device was admitted where an
    unknown one would not have been.
    """

    key: RateLimitKey
    charged_at_ms: int
    rows: Mapping[tuple[str, str], int]
    hides_device: bool = False


def charge(key: RateLimitKey, client: ClientInfo) -> Charge:
    """Count an attempt as failed before it is checked; raises TooManyAttempts if a limit holds, and changes nothing.

    One statement. A blocked row stays as it is, so that further attempts do not make the wait longer. The attempt is
    admitted only if all rows that bind it were charged; of two parallel attempts, the row lock lets one go first.
    """
    now, policy, action = int(clock.now().timestamp() * 1000), current_policy(), key.action
    account_allowance = ACCOUNT_ALLOWANCES.get(action, policy.failures_per_account)
    registers = action is Action.REGISTRATION
    address_allowance = policy.registrations_per_address if registers else policy.failures_per_address
    known_allowance, sign_ins_allowance = address_allowance * KNOWN_DEVICES_FACTOR, address_allowance * SIGN_INS_FACTOR
    limits: dict[str, int | str] = {
        "account_allowance": account_allowance,
        "address_allowance": address_allowance,
        "known_allowance": known_allowance,
        "sign_ins_allowance": sign_ins_allowance,
        "known_devices": key.known_devices,
        "sign_ins": key.sign_ins,
        "account_decay": HOUR_MS // account_allowance,
        "address_decay": HOUR_MS // address_allowance,
        "known_decay": HOUR_MS // known_allowance,
        "sign_ins_decay": max(1, HOUR_MS // sign_ins_allowance),  # up to 10,000,000 sign-ins in 3,600,000 ms
        "login_decay": DAY_MS,
        "lockout": LOCKOUT_AFTER if action is Action.LOGIN else NEVER,
        "lockout_time": LOCKOUT_MS,
        "never": NEVER,
        "initial_backoff": INITIAL_BACKOFF_MS,
        "max_backoff": MAX_BACKOFF_MS,
    }
    charged = _execute(CHARGE.format(charged=ROWS_BY_ACTION[action]), key, now, limits)
    rows = {(account, address): blocked_until for account, address, blocked_until in charged}
    unknown = {(key.account, ""), ("", key.address), ("", key.sign_ins)} - {("", "")}
    known = {(key.account, key.address), ("", key.known_devices), ("", key.sign_ins)} - {("", "")}
    is_known = bool(key.known_devices) and (key.account, key.address) in rows
    if not (known if is_known else unknown) <= set(rows):
        raise _refusal(key, client, now)
    return Charge(key, now, rows, hides_device=is_known and not unknown <= set(rows))


def raise_if_device_is_hidden(charge: Charge, client: ClientInfo) -> None:
    """Raise TooManyAttempts for a wrong password on a known device where an unknown one would have got that.

    Otherwise 401 among 429 would tell an attacker who shares an address which accounts were signed in to from there.
    """
    if charge.hides_device:
        raise _refusal(charge.key, client, charge.charged_at_ms)


def refund(charge: Charge) -> None:
    """Take a charge back because the password or the code was right; after a sign-in the device is known.

    The counters of the account and of the device are reset. The address gets this one attempt back and no more, else
    an attacker could clear it by signing in to an account of their own. The counter of all sign-ins keeps it.
    """
    key = charge.key
    owned = {(key.account, "")} if key.account else set()
    devices = {(key.account, key.address)} if key.known_devices else set()
    _take_back(charge, ({*charge.rows} | owned | devices) - {("", key.sign_ins)}, "a.account <> ''")


def withdraw(charge: Charge) -> None:
    """Take a charge back because nothing was checked in the end: neither a failure nor a success."""
    _take_back(charge, {*charge.rows}, "FALSE")


def _take_back(charge: Charge, rows: set[tuple[str, str]], is_reset: str) -> None:
    if not rows:
        return
    parameters: dict[str, int | str] = {f"block{number}": block for number, block in enumerate(charge.rows.values())}
    own_blocks = ", ".join(f"%({name})s" for name in parameters)
    for number, (account, address) in enumerate(sorted(rows)):  # in the order in which a charge locks them
        parameters.update({f"account{number}": account, f"address{number}": address})
    refunded = ", ".join(f"(%(account{number})s, %(address{number})s, 0, %(now)s, 0)" for number in range(len(rows)))
    statement = REFUND.format(refunded=refunded, own_blocks=own_blocks, is_reset=is_reset)
    _execute(statement, charge.key, charge.charged_at_ms, parameters)


def reset_attempts(email: str, actions: Sequence[Action] = (Action.LOGIN,)) -> None:
    """Reset the counters of an account and of its devices: those of sign-ins after a new password.

    An operator who unlocks the account resets all SIGN_IN_ACTIONS. A new password does not: who reads somebody's mail
    can set one, and must not get new guesses at the second factor with it.
    """
    rows = Attempt.objects.filter(account__in=[account_digest(email, action) for action in actions])
    with transaction.atomic():
        list(rows.order_by("account", "address").select_for_update())  # in the order in which a refund locks them
        rows.update(failures=0, blocked_until=0)


def forget_attempts(emails: Iterable[str]) -> None:
    """Delete the counters of canonical e-mail addresses that get an account, in the transaction that gives it to them.

    Guesses at nobody must not lock out whoever registers the address later, and an address that belonged to somebody
    else before has no known devices. Mails to the address stay counted: they are the same mailbox's. The rows are
    locked in the order in which a charge locks them.
    """
    accounts = [account_digest(email, action) for email in emails for action in (*SIGN_IN_ACTIONS, Action.CODE)]
    if accounts:
        parameters = {f"account{number}": account for number, account in enumerate(accounts)}
        lock = "FOR UPDATE" if connection.vendor == "postgresql" else ""
        fetch_all(FORGET.format(accounts=", ".join(f"%({name})s" for name in parameters), lock=lock), parameters)


FORGET = """
DELETE FROM latchkey_attempt WHERE (account, address) IN (
    SELECT account, address FROM latchkey_attempt WHERE account IN ({accounts}) ORDER BY account, address {lock})
"""


def _execute(
    statement: str, key: RateLimitKey, now: int, parameters: Mapping[str, int | str]
) -> list[tuple[str, str, int]]:
    """Return the account, the address and the end of the block of each row that the statement charged."""
    named = {"account": key.account, "address": key.address, "now": now, **parameters}
    return cast("list[tuple[str, str, int]]", fetch_all(statement, named))


def _refusal(key: RateLimitKey, client: ClientInfo, now: int) -> TooManyAttempts:
    """Return the error, with the seconds until the limit of an unknown device ends, or that of the known one.

    At least 1, and at most a day, for a locked account.
    """
    record(Event.RATE_LIMIT_EXCEEDED, client, reason=key.action)
    addresses = ["", key.address, key.known_devices, key.sign_ins]
    rows = Attempt.objects.filter(account__in=["", key.account], address__in=addresses)
    until = {(row.account, row.address): row.blocked_until for row in rows}
    unknown = max(until.get(row, 0) for row in ((key.account, ""), ("", key.address), ("", key.sign_ins)))
    latest = unknown if unknown > now else max(until.values(), default=0)
    return TooManyAttempts(headers={"Retry-After": str(max(1, -(-min(LOCKOUT_MS, latest - now) // 1000)))})
