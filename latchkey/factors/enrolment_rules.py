"""Who may set up a second factor: the policy, and an e-mail address that is verified where addresses are.

Otherwise a stranger could open an account with somebody else's address, set up a factor, and lock the owner of the
address out for good: a password reset leaves factors alone (django-allauth 64.2.1).
"""

from django.conf import settings

from latchkey.accounts.models import User
from latchkey.conf.policy import current_policy
from latchkey.core.exceptions import EmailNotVerified, EnrolmentClosed


def require_open_enrolment(user: User) -> None:
    """Raise EnrolmentClosed while SECOND_FACTOR is off, or EmailNotVerified."""
    if current_policy().second_factor == "off":
        raise EnrolmentClosed
    if must_verify_address(user):
        raise EmailNotVerified


def must_verify_address(user: User) -> bool:
    """Return whether the user has to verify the address before a factor is set up.

    Nobody can verify an address without a mail server, and staff are known to an operator.
    """
    are_verified = current_policy().email_verification != "off" and settings.MAIL_SERVER is not None
    return are_verified and not user.email_verified_at and not user.is_staff
