"""Sign-in with a passkey alone, and the options for a passkey as a second factor.

Without an e-mail address the options name no passkey: the authenticator offers those that it has for the service, and
its answer names the account. The authenticator has to verify its user, so that the passkey counts as two factors.
"""

import secrets
from contextlib import suppress

from django.db import DatabaseError

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailNotVerified, InvalidCredentials, InvalidPasskey, InvalidTicket, NotFound
from latchkey.factors.tickets import (
    LIFETIME,
    TicketPurpose,
    issue_ticket,
    peek_ticket,
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
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import Key, TokenPair

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

    Right or wrong, the answer uses up the ticket, and its challenge with it. Failures are counted for the address
    alone, never for the account: a signature cannot be guessed, and strangers could lock the owner out.
    Raises ServiceUnavailable where no key can sign, TooManyAttempts before anything is compared, InvalidTicket,
    InvalidPasskey, and EmailNotVerified.
    """
    key = signing_key(clock.now())
    charged = charge(passkey_key(client), client)
    state = take_ticket(ticket, TicketPurpose.PASSKEY_SIGN_IN, clock.now())
    if state is None:
        raise InvalidTicket
    try:
        use = check_passkey(response, state.challenge, require_user_verification=True)
        return _admit(use, client, key, charged)
    except InvalidPasskey as error:
        record(Event.LOGIN_FAILED, client, user_id=error.user_id, reason=f"passkey: {error.reason}")
        record_suspicion(error, client)
        raise
    except DatabaseError:  # the passkey was right: a failure of ours is no failed attempt
        with suppress(DatabaseError):
            refund(charged)
        raise


def _admit(use: PasskeyUse, client: ClientInfo, key: Key | None, charged: Charge) -> TokenPair:
    user = use.passkey.user
    if user.email_verified_at is None and current_policy().email_verification == "required":
        refund(charged)
        record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="not verified")
        raise EmailNotVerified

    def consume() -> None:
        refund(charged)  # first, as it locks the row that all attempts lock first
        use.spend()

    try:
        return admit(user, use.proof, client, key, consume)
    except InvalidCredentials:  # the account is inactive, or has changed since the passkey was looked up
        refused = InvalidPasskey(reason="revoked")
        refused.user_id = user.pk
        raise refused from None


def begin_passkey_second_factor(ticket: str) -> Ceremony:
    """Return the options for a passkey of the account that a ticket of a sign-in belongs to, with the same ticket.

    The challenge replaces the one before. Raises InvalidTicket, and NotFound where the account has no passkey.
    """
    require_relying_party()
    state = peek_ticket(ticket, TicketPurpose.SECOND_FACTOR, clock.now())
    user = state.current_user() if state else None
    if state is None or user is None:
        raise InvalidTicket
    passkeys = list_passkeys(user.pk)
    if not passkeys:
        raise NotFound
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    replace_challenge(state, challenge)
    return Ceremony(ticket, request_options(challenge=challenge, timeout_seconds=SECONDS, passkeys=passkeys))
