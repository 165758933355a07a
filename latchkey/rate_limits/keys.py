"""Keys of rate limits: the counters of each kind of attempt, with their numbers.

A key has keyed digests of the account and of the IP address. The kinds have counters of their own, so that guesses at
one secret keep nobody from using another. `attempts.py` counts.
"""

import hmac
from dataclasses import dataclass, replace
from enum import StrEnum

from latchkey.core.client import ClientInfo, client_network
from latchkey.core.crypto import derive_keys


class Action(StrEnum):
    """The kind of attempt; each has counters of its own."""

    LOGIN = "sign-in"
    REGISTRATION = "registration"
    MAIL = "mail"
    CODE = "code"
    FACTOR = "second factor"
    RECOVERY = "recovery code"
    PASSKEY = "passkey"


SIGN_IN_ACTIONS = (Action.LOGIN, Action.FACTOR, Action.RECOVERY)
"""What can be guessed at an account to sign in: the password, a one-time password, a recovery code."""


@dataclass(frozen=True, slots=True)
class RateLimitKey:
    """The counters of an attempt: keyed digests of the account and of the IP address, '' for one that is not known.

    `known_devices` and `sign_ins` are other digests of the IP address: the counters of all known devices there, and of
    all sign-ins, right ones included; '' for actions that do not have them.
    """

    account: str
    address: str
    action: Action = Action.LOGIN
    known_devices: str = ""
    sign_ins: str = ""


def login_key(email: str, client: ClientInfo) -> RateLimitKey:
    """Sign-ins and reauthentication, by canonical e-mail address (known or not) and by IP address.

    Per account: 10 failures in a row (FAILURES_PER_ACCOUNT), then 30 s doubling to 1 h; 100 in a row: locked for a day,
    or until the password is reset or an operator unlocks the account. One failure is forgotten for each whole day
    without an attempt. Per known device: the same, apart from others.
    Per address: 100 failures (FAILURES_PER_ADDRESS), decaying by 100 per hour, then 30 s doubling to 1 h; never locked.
    Known devices count there, too, and go on to 1,000 failures (decaying by 1,000 per hour) of all at the address.
    All sign-ins of an address, right ones included: 10,000 (100 times FAILURES_PER_ADDRESS), decaying by 10,000 per
    hour, then the same.
    """
    address, known_devices = _address_digest("login", client), _address_digest("known devices", client)
    sign_ins = _address_digest("sign-ins", client)
    return RateLimitKey(account_digest(email), address, Action.LOGIN, known_devices, sign_ins)


def factor_key(email: str, client: ClientInfo) -> RateLimitKey:
    """Guesses at the one-time passwords (TOTP) of an account, by its canonical e-mail address and by IP address.

    Per account: 5 failures in a row (FACTOR_FAILURES), then 30 s doubling to 1 h; never locked, because only who knows
    the password can guess, and the owner has to get in. One failure is forgotten for each whole day without an attempt.
    Per known device, one from which a one-time password was right before: the same, apart from others. Per address: as
    for sign-ins, with counters of its own.
    Charge it wherever a one-time password is compared: at sign-in, reauthentication, confirmation and removal.
    """
    return _device_key(Action.FACTOR, email, client)


def recovery_key(email: str, client: ClientInfo) -> RateLimitKey:
    """Guesses at the recovery codes of an account: as `factor_key`, with counters of its own.

    So guesses at one-time passwords do not keep the owner from using a recovery code.
    """
    return _device_key(Action.RECOVERY, email, client)


def passkey_key(client: ClientInfo) -> RateLimitKey:
    """Assertions of passkeys, by IP address alone.

    100 failures (FAILURES_PER_ADDRESS), decaying by 100 per hour, then 30 s doubling to 1 h; never locked. Not by
    account: a signature cannot be guessed, so a limit would only let strangers keep the owner from signing in.
    """
    return RateLimitKey("", _address_digest(Action.PASSKEY, client), Action.PASSKEY)


def registration_key(client: ClientInfo) -> RateLimitKey:
    """Registrations, by IP address alone.

    100 (REGISTRATIONS_PER_ADDRESS), decaying by 100 per hour, then 30 s doubling to 1 h; never locked. An e-mail
    address that is taken counts like a new one; a refused password does not count, as nothing was looked up for it.
    """
    return RateLimitKey("", _address_digest(Action.REGISTRATION, client), Action.REGISTRATION)


def mail_key(email: str, client: ClientInfo) -> RateLimitKey:
    """Requests for a mail (reset, verification, change of address), by canonical recipient and by IP address.

    Per recipient, known or not, with all its subaddresses (name+tag@): 3 mails, decaying by 3 per hour, then 30 s
    doubling to 1 h; never locked. Per address: 100 (FAILURES_PER_ADDRESS), decaying by 100 per hour, then the same.
    """
    return _mailbox_key(Action.MAIL, email, client)


def notice_key(email: str, client: ClientInfo) -> RateLimitKey:
    """Notices to an address that was never confirmed, by canonical recipient and by the IP address that causes them.

    Per recipient: 3, apart from mails on request, so that notices keep nobody from a password reset. Per address: the
    counter of mails on request, as both may be mails to strangers.
    """
    requested = mail_key(email, client)
    return replace(requested, account=_digest("account", "notice", mailbox(email)))


def code_key(email: str, client: ClientInfo) -> RateLimitKey:
    """Guesses at the codes mailed to this canonical e-mail address, and by IP address.

    Per recipient: 10 failures (FAILURES_PER_ACCOUNT), decaying by 10 per hour, then 30 s doubling to 1 h; never locked.
    Per address: 100 (FAILURES_PER_ADDRESS), decaying by 100 per hour, then the same. Apart from sign-ins: guesses at a
    password must not keep the owner from setting a new one.
    """
    return _mailbox_key(Action.CODE, email, client)


def _device_key(action: Action, email: str, client: ClientInfo) -> RateLimitKey:
    known_devices = _address_digest(f"known devices: {action}", client)
    return RateLimitKey(account_digest(email, action), _address_digest(action, client), action, known_devices)


def _mailbox_key(action: Action, email: str, client: ClientInfo) -> RateLimitKey:
    account = account_digest(mailbox(email) if action is Action.MAIL else email, action)
    return RateLimitKey(account, _address_digest(action, client), action)


def mailbox(email: str) -> str:
    """Return the address without its tag: user@example.com for user+tag@example.com (RFC 5233)."""
    local, _, domain = email.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def account_digest(email: str, action: Action = Action.LOGIN) -> str:
    """Return the digest under which attempts at a canonical e-mail address are counted: 32 hexadecimal digits."""
    return _digest("account", email) if action is Action.LOGIN else _digest("account", action, email)


def _address_digest(action: str, client: ClientInfo) -> str:
    network = client_network(client.address)
    return "" if network is None else _digest("address", action, network)


def _digest(*parts: str) -> str:
    return hmac.digest(derive_keys("attempts")[0], "\0".join(parts).encode(), "sha256")[:16].hex()
