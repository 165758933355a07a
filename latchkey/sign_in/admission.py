"""Admission: the one gate between a proof of identity and a session.

Password, password change, second factor, passkey and enrolment all end here. An import contract keeps every other
package from opening a session, so that no endpoint can forget the second factor (better-auth#9552, kratos#4317,
CVE-2025-64103).

the account has        the policy                  the proof is             result
--------------------   -------------------------   ----------------------   -----------------------------------
no second factor       asks for none               one factor               a session
no second factor       requires one of this user   one factor               403 with a ticket to set one up
a second factor        (any)                       one factor               403 with a ticket for the second one
(any)                  (any)                       two factors              a session
"""

from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import Policy, current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailNotVerified, EnrolmentRequired, InvalidCredentials, SecondFactorRequired
from latchkey.factors.available import available_factors
from latchkey.factors.delayed_recovery import cancel_after_proof
from latchkey.factors.enrolment_rules import must_verify_address
from latchkey.factors.recent_proof import require_second_factor
from latchkey.factors.tickets import LIFETIME, TicketPurpose, issue_ticket
from latchkey.sessions.open_session import NewSession, open_session
from latchkey.tokens.access_token import AccessTokenSpec, Key, TokenPair, issue_pair
from latchkey.tokens.authentication_methods import Authentication, Proof, is_two_factor

__all__ = ["NewSession", "admit", "challenge", "missing_step", "must_enrol", "replace_session"]


def admit(user: User, proof: Proof, client: ClientInfo, key: Key | None, consume: Callable[[], None]) -> TokenPair:
    """Open a session for a user who proved to be it, and return its tokens.

    consume spends the proof: it refunds the attempt, and deletes the code or the ticket. It is called in the
    transaction that opens the session, so that each is spent if and only if the session exists. What it raises rolls
    everything back. Raises SecondFactorRequired or EnrolmentRequired with a ticket; and InvalidCredentials where the
    account has changed since its proof was checked. key signs the access token.
    """
    now, policy = clock.now(), current_policy()
    if purpose := missing_step(user, proof, policy):
        raise challenge(purpose, user, proof, client, now, consume)
    try:
        opened = _open(user, proof, client, now, policy, consume)
    except IntegrityError:  # with 10 million sessions, 1 in 28 million random selectors belongs to another
        opened = _open(user, proof, client, now, policy, consume)
    record(Event.LOGIN_SUCCEEDED, client, user_id=user.pk, session_id=opened.session_id, persisted=True)
    spec = AccessTokenSpec(now, policy.access_token_lifetime, key)
    authentication = Authentication(int(proof), int(now.timestamp()))
    return issue_pair(opened.session_id, user.pk, opened.refresh_token, spec, authentication, user.token_claims)


def missing_step(user: User, proof: Proof, policy: Policy) -> TicketPurpose | None:
    """Return what a proof lacks: the second factor of the account, or one that has to be set up; None if nothing."""
    if is_two_factor(proof):
        return None
    if user.second_factors:
        return TicketPurpose.SECOND_FACTOR
    return TicketPurpose.ENROLMENT if must_enrol(user, policy) else None


def must_enrol(user: User, policy: Policy) -> bool:
    """Return whether the policy requires a second factor of this user."""
    return policy.second_factor == "required" or (policy.second_factor == "required_for_staff" and user.is_staff)


def replace_session(
    user: User, authentication: Authentication, client: ClientInfo, now: datetime, policy: Policy
) -> NewSession | None:
    """Open a session in the place of one that ends in the caller's transaction, with what that one had proved.

    Raises StepUpRequired where it had not proved the second factor of the account. None if the account has changed.
    """
    require_second_factor(user, authentication)
    return open_session(user, Proof(authentication.proof), client, now, policy)


def challenge(  # noqa: PLR0913, PLR0917  # all that is known of the admission
    purpose: TicketPurpose,
    user: User,
    proof: Proof,
    client: ClientInfo,
    now: datetime,
    consume: Callable[[], None],
) -> SecondFactorRequired:
    """Spend a proof that lacks something, and return the error with a ticket for the next step.

    Raises EmailNotVerified in the place of a ticket for enrolment, where addresses are verified and this one is not.
    """
    is_unverified = purpose is TicketPurpose.ENROLMENT and must_verify_address(user)
    with transaction.atomic():
        consume()
        if is_unverified:
            record(Event.LOGIN_FAILED, client, user_id=user.pk, reason="not verified")
        else:
            ticket = issue_ticket(purpose, now, user, proof)
            record(Event.LOGIN_CHALLENGED, client, user_id=user.pk, reason=purpose.value)
    if is_unverified:
        raise EmailNotVerified
    seconds = int(LIFETIME.total_seconds())
    if purpose is TicketPurpose.ENROLMENT:
        return EnrolmentRequired(ticket, [], seconds)
    return SecondFactorRequired(ticket, available_factors(user.pk), seconds)


@transaction.atomic
def _open(  # noqa: PLR0913, PLR0917  # all that is known of the admission
    user: User, proof: Proof, client: ClientInfo, now: datetime, policy: Policy, consume: Callable[[], None]
) -> NewSession:
    """Insert the session if the credentials are still valid: the user may have changed while the password was hashed.

    consume comes first. Its refund locks the account's row of rate limits, so that concurrent sign-ins to one account
    are serialized from here on, and each counts the sessions of those before it. Raises InvalidCredentials.
    """
    consume()
    opened = open_session(user, proof, client, now, policy)
    if opened is None:
        raise InvalidCredentials  # rolls back what consume did, too
    cancel_after_proof(user, proof, client)
    return opened
