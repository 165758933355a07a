"""Enrolment within a sign-in: who has to have a second factor, and has none, sets one up before the session opens.

The password was right, and the policy requires more. The ticket of that answer allows an authenticator app to be set
up, and nothing else. App, recovery codes, ticket and session change in one transaction.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidCredentials, InvalidFactorCode, InvalidTicket, InvalidToken
from latchkey.factors import recovery_codes, totp
from latchkey.factors.changes import FactorChange, change_factors
from latchkey.factors.tickets import TicketPurpose, consume_ticket, read_ticket
from latchkey.rate_limits.attempts import charge, refund
from latchkey.rate_limits.keys import factor_key
from latchkey.sign_in.admission import admit
from latchkey.sign_in.factor_checks import FactorAnswer, record_refusal
from latchkey.sign_in.second_factor import Gate, find_ticket
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import TokenPair
from latchkey.tokens.authentication_methods import Proof

Opened = TypeVar("Opened")


class Enrolled(NamedTuple):
    """What a person with a new authenticator app gets: the tokens, and the recovery codes, shown this once."""

    pair: TokenPair
    recovery_codes: list[str]


def begin_totp(ticket: str) -> totp.TotpEnrolment:
    """Return a new secret for the authenticator app of the ticket's user; it replaces one that was not confirmed.

    That one may be known to another who knows the password. Nothing is compared, so no use is counted. Raises
    InvalidTicket.
    """
    state = read_ticket(ticket, TicketPurpose.ENROLMENT, clock.now())
    user = state.current_user() if state else None
    if user is None:
        raise InvalidTicket
    return totp.begin_enrolment(user)


def enrol_totp(ticket: str, code: str, client: ClientInfo) -> Enrolled:
    """Confirm the authenticator app by its code, and open a session.

    Raises as `admit_with_totp` does, and ServiceUnavailable where no key can sign.
    """
    key = signing_key(clock.now())

    def gate(user: User, proof: Proof, consume: Callable[[], None]) -> TokenPair:
        return admit(user, proof, client, key, consume)

    return Enrolled(*admit_with_totp(ticket, code, client, gate))


def admit_with_totp(ticket: str, code: str, client: ClientInfo, gate: Gate[Opened]) -> tuple[Opened, list[str]]:
    """Confirm the authenticator app by its code; return what the gate opens, and the recovery codes.

    Raises InvalidTicket; TooManyAttempts before anything is compared; and InvalidFactorCode, after which the ticket can
    be used again.
    """
    state, user = find_ticket(ticket, TicketPurpose.ENROLMENT)
    charged = charge(factor_key(user.email, client), client)
    codes: list[str] = []

    def consume() -> None:
        user.credential_version, user.second_factors = state.credential_version, 0  # once more, if this was rolled back
        refund(charged)
        if not totp.confirm_enrolment(user.pk, code, clock.now()):
            raise InvalidFactorCode
        codes[:] = recovery_codes.renew(user.pk)
        change_factors(user, FactorChange(Event.FACTOR_ADDED, 1, "totp"), client)
        if not consume_ticket(state):
            raise InvalidTicket  # rolls the factor back

    try:
        return gate(user, state.proof | Proof.TOTP, consume), codes
    except InvalidFactorCode as error:
        record_refusal(user, FactorAnswer(code), client, error)
        raise
    except (InvalidCredentials, InvalidToken) as error:  # the account has changed since the ticket was looked up
        raise InvalidTicket from error
