"""Enrolment of a passkey within a sign-in, for accounts that must have a second factor and have none.

As in `enrolment.py`, the ticket of the first answer allows nothing else. Passkey, recovery codes, ticket and session
change in one transaction.
"""

import secrets
from collections.abc import Callable
from typing import TypeVar

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidCredentials, InvalidPasskey, InvalidTicket, InvalidToken
from latchkey.factors.tickets import TicketPurpose, consume_ticket, read_ticket, replace_challenge, take_challenge
from latchkey.passkeys.manage import (
    CHALLENGE_BYTES,
    KIND,
    Ceremony,
    new_passkey_options,
    require_relying_party,
    store_passkey,
)
from latchkey.passkeys.registration import verify_registration
from latchkey.passkeys.responses import RegistrationResponse
from latchkey.sign_in.admission import admit
from latchkey.sign_in.enrolment import Enrolled
from latchkey.sign_in.second_factor import Gate, find_ticket
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import TokenPair
from latchkey.tokens.authentication_methods import Proof

Opened = TypeVar("Opened")


def begin_passkey_enrolment(ticket: str) -> Ceremony:
    """Return the options for a new passkey of the ticket's user, with the same ticket; raises InvalidTicket."""
    require_relying_party()
    state = read_ticket(ticket, TicketPurpose.ENROLMENT, clock.now())
    user = state.current_user() if state else None
    if state is None or user is None:
        raise InvalidTicket
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    options = new_passkey_options(user, challenge)
    replace_challenge(state, challenge)
    return Ceremony(ticket, options)


def enrol_passkey(ticket: str, response: RegistrationResponse, name: str, client: ClientInfo) -> Enrolled:
    """Store the new passkey, and open a session.

    Raises as `admit_with_new_passkey` does, and ServiceUnavailable where no key can sign.
    """
    key = signing_key(clock.now())

    def gate(user: User, proof: Proof, consume: Callable[[], None]) -> TokenPair:
        return admit(user, proof, client, key, consume)

    return Enrolled(*admit_with_new_passkey(ticket, response, name, client, gate))


def admit_with_new_passkey(
    ticket: str, response: RegistrationResponse, name: str, client: ClientInfo, gate: Gate[Opened]
) -> tuple[Opened, list[str]]:
    """Store the new passkey; return what the gate opens, and the recovery codes.

    Raises InvalidTicket; and InvalidPasskey, after which the ticket can be used again, with new options.
    """
    state, user = find_ticket(ticket, TicketPurpose.ENROLMENT)
    codes: list[str] = []
    try:
        new = verify_registration(response, take_challenge(state))

        def consume() -> None:
            user.credential_version, user.second_factors = state.credential_version, 0  # again, after a rollback
            codes[:] = store_passkey(user, None, new, name, client).recovery_codes
            if not consume_ticket(state):
                raise InvalidTicket  # rolls the passkey back

        return gate(user, state.proof | new.proof, consume), codes
    except InvalidPasskey as error:
        record(Event.FACTOR_REFUSED, client, user_id=user.pk, reason=f"{KIND}: {error.reason}")
        raise
    except (InvalidCredentials, InvalidToken) as error:  # the account has changed since the ticket was looked up
        raise InvalidTicket from error
