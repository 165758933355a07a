"""Sign-in with a passkey alone, and the options for a passkey as a second factor and for a step-up.

Without an e-mail address the options name no passkey: the authenticator offers those that it has for the service, and
its answer names the account. The authenticator has to verify its user, so that the passkey counts as two factors.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from django.db import DatabaseError

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import get_user
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailNotVerified, InvalidCredentials, InvalidPasskey, InvalidTicket, NotFound
from latchkey.factors.locking import lock_user
from latchkey.factors.tickets import (
    LIFETIME,
    TicketPurpose,
    issue_ticket,
    read_ticket,
    replace_challenge,
    take_ticket,
)
from latchkey.passkeys.manage import CHALLENGE_BYTES, Ceremony, list_passkeys, require_relying_party
from latchkey.passkeys.options import request_options
from latchkey.passkeys.responses import AssertionResponse
from latchkey.passkeys.use import PasskeyUse, check_passkey, record_suspicion
from latchkey.rate_limits.attempts import Charge, charge, refund
from latchkey.rate_limits.in_memory import count_ticket
from latchkey.rate_limits.keys import passkey_key
from latchkey.sign_in.admission import admit
from latchkey.sign_in.second_factor import Gate
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import TokenPair
from latchkey.tokens.authentication_methods import Proof

Opened = TypeVar("Opened")

SECONDS = int(LIFETIME.total_seconds())


def begin_passkey_sign_in(client: ClientInfo) -> Ceremony:
    """Return the options for a sign-in with any passkey of the service, with a ticket that is good for one attempt.

    Anybody may ask, so the number of tickets is limited per address; raises TooManyAttempts.
    """
    require_relying_party()
    count_ticket(client)
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    ticket = issue_ticket(TicketPurpose.PASSKEY_SIGN_IN, clock.now(), challenge=challenge)
    return Ceremony(
        ticket, request_options(challenge=challenge, timeout_seconds=SECONDS, require_user_verification=True)
    )


def sign_in_with_passkey(ticket: str, response: AssertionResponse, client: ClientInfo) -> TokenPair:
    """Open a session for the account that the passkey belongs to, and return its tokens.

    Raises as `admit_with_passkey` does, and ServiceUnavailable where no key can sign.
    """
    key = signing_key(clock.now())

    def gate(user: User, proof: Proof, consume: Callable[[], None]) -> TokenPair:
        return admit(user, proof, client, key, consume)

    return admit_with_passkey(ticket, response, client, gate)


def admit_with_passkey(ticket: str, response: AssertionResponse, client: ClientInfo, gate: Gate[Opened]) -> Opened:
    """Return what the gate opens for the account that the passkey belongs to.

    Right or wrong, the answer uses up the ticket, and its challenge with it. Failures are counted for the address
    alone, never for the account: a signature cannot be guessed, and strangers could lock the owner out.
    Raises TooManyAttempts before anything is compared, InvalidTicket, InvalidPasskey, EmailNotVerified, and what the
    gate raises.
    """
    charged = charge(passkey_key(client), client)
    state = take_ticket(ticket, TicketPurpose.PASSKEY_SIGN_IN, clock.now())
    if state is None:
        raise InvalidTicket
    try:
        use = check_passkey(response, state.challenge, require_user_verification=True)
        return _admit(use, client, charged, gate)
    except InvalidPasskey as error:
        record(Event.LOGIN_FAILED, client, user_id=error.user_id, reason=f"passkey: {error.reason}")
        record_suspicion(error, client)
        raise
    except DatabaseError:  # the passkey was right: a failure of ours is no failed attempt
        with suppress(DatabaseError):
            refund(charged)
        raise


def _admit(use: PasskeyUse, client: ClientInfo, charged: Charge, gate: Gate[Opened]) -> Opened:
    user = use.passkey.user
    if not user.is_active:
        raise _revoked(user)
    if user.email_verified_at is None and current_policy().email_verification == "required":
        refund(charged)
        record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="not verified")
        raise EmailNotVerified

    def consume() -> None:
        refund(charged)  # first, as it locks the row that all attempts lock first
        lock_user(user.pk)
        use.spend()

    try:
        return gate(user, use.proof, consume)
    except InvalidCredentials:  # the account has changed since the passkey was looked up
        raise _revoked(user) from None


def _revoked(user: User) -> InvalidPasskey:
    refused = InvalidPasskey(reason="revoked")
    refused.user_id = user.pk
    return refused


def begin_passkey_second_factor(ticket: str) -> Ceremony:
    """Return the options for a passkey of the account that a ticket of a sign-in belongs to, with the same ticket.

    The challenge replaces the one before. Raises InvalidTicket, and NotFound where the account has no passkey.
    """
    require_relying_party()
    state = read_ticket(ticket, TicketPurpose.SECOND_FACTOR, clock.now())
    user = state.current_user() if state else None
    if state is None or user is None:
        raise InvalidTicket
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    options = _own_options(user, challenge)
    replace_challenge(state, challenge)
    return Ceremony(ticket, options)


def begin_passkey_step_up(user_id: int) -> Ceremony:
    """Return the options for a passkey of a signed-in user, with a ticket that is good for one attempt.

    Raises NotFound where the account has no passkey.
    """
    require_relying_party()
    user, challenge = get_user(user_id), secrets.token_bytes(CHALLENGE_BYTES)
    options = _own_options(user, challenge)
    return Ceremony(issue_ticket(TicketPurpose.STEP_UP, clock.now(), user, challenge=challenge), options)


def _own_options(user: User, challenge: bytes) -> dict[str, Any]:
    passkeys = list_passkeys(user.pk)
    if not passkeys:
        raise NotFound
    return request_options(challenge=challenge, timeout_seconds=SECONDS, passkeys=passkeys)
