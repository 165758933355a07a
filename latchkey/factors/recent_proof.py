"""Step-up requirement: sensitive changes need a recent authentication, with a second factor where the account has one.

A stolen access token shows neither that its owner is there, nor that the owner knows of the change (ASVS 7.5.1; RFC
9470). POST /api/step-up/ is how a client proves it.
"""

from datetime import timedelta

from latchkey.accounts.models import User
from latchkey.core import clock
from latchkey.core.exceptions import StepUpRequired
from latchkey.factors.available import available_factors
from latchkey.tokens.authentication_methods import Authentication, Proof, is_two_factor

MAX_AGE = timedelta(minutes=10)


def require_recent_proof(user: User, authentication: Authentication) -> None:
    """Raise StepUpRequired unless the session has proved enough within MAX_AGE.

    Enough is a password for an account without a second factor, and two factors for any other.
    """
    age = clock.now().timestamp() - authentication.authenticated_at
    if age < MAX_AGE.total_seconds() and has_required_factors(user, authentication):
        return
    raise_step_up_required(user)


def require_second_factor(user: User, authentication: Authentication) -> None:
    """Raise StepUpRequired for a session without a second factor whose account has one, however recent."""
    if not has_required_factors(user, authentication):
        raise_step_up_required(user)


def has_required_factors(user: User, authentication: Authentication) -> bool:
    """Return whether the proof is of two factors, or the account has no second one."""
    return not user.second_factors or is_two_factor(Proof(authentication.proof))


def raise_step_up_required(user: User) -> None:
    """Raise StepUpRequired with what the account can prove: its factors, or else its password."""
    factors = available_factors(user.pk) if user.second_factors else ["password"]
    raise StepUpRequired(factors, int(MAX_AGE.total_seconds()))
