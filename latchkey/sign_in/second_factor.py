"""Second step of a sign-in: a ticket and a second factor for a session.

A ticket allows MAX_ATTEMPTS uses, which are counted before anything is compared. The factor, the ticket and the session
change in one transaction: none is used up without the session, and a hundred parallel requests open one.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from latchkey.accounts.models import User
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidCredentials, InvalidFactorCode, InvalidPasskey, InvalidTicket
from latchkey.factors.tickets import TicketPurpose, TicketState, attempt_ticket, consume_ticket, take_challenge
from latchkey.sign_in.admission import admit
from latchkey.sign_in.factor_checks import FactorAnswer, begin_check, record_refusal
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import TokenPair
from latchkey.tokens.authentication_methods import Proof

Opened = TypeVar("Opened")
Gate: TypeAlias = Callable[[User, Proof, Callable[[], None]], Opened]
"""What opens a session for a user and a proof, and calls the third argument, which spends it, in its transaction: the
`admit` of admission.py for a client of the API, `admit_browser` for a browser."""


def sign_in_with_second_factor(ticket: str, answer: FactorAnswer, client: ClientInfo) -> TokenPair:
    """Open a session for the user of a ticket, and return its tokens.

    Raises InvalidTicket; TooManyAttempts before anything is compared; InvalidFactorCode or InvalidPasskey, after which
    the ticket can be used again; and ServiceUnavailable where no key can sign.
    """
    key = signing_key(clock.now())

    def gate(user: User, proof: Proof, consume: Callable[[], None]) -> TokenPair:
        return admit(user, proof, client, key, consume)

    return admit_with_second_factor(ticket, answer, client, gate)


def admit_with_second_factor(ticket: str, answer: FactorAnswer, client: ClientInfo, gate: Gate[Opened]) -> Opened:
    """Return what the gate opens for the user of a ticket; raises as `sign_in_with_second_factor`, and what it does."""
    state, user = find_ticket(ticket)
    challenge = take_challenge(state) if answer.passkey else b""
    try:
        check = begin_check(user, answer, client, challenge, state.proof)

        def consume() -> None:
            check.spend()
            if not consume_ticket(state):
                raise InvalidTicket  # rolls the use of the factor back

        return gate(user, state.proof | check.proof, consume)
    except (InvalidFactorCode, InvalidPasskey) as error:
        record_refusal(user, answer, client, error)
        raise
    except InvalidCredentials as error:  # the account has changed since the ticket was looked up
        raise InvalidTicket from error


def find_ticket(ticket: str, purpose: TicketPurpose = TicketPurpose.SECOND_FACTOR) -> tuple[TicketState, User]:
    """Count a use of a ticket, and return it with its user; raises InvalidTicket."""
    state = attempt_ticket(ticket, purpose, clock.now())
    user = state.current_user() if state else None
    if state is None or user is None:
        raise InvalidTicket
    return state, user
