"""Mails to a user at the request of a back end: a link to set a new password, or one to verify the address."""

from latchkey.accounts.models import User
from latchkey.audit.log import Operator
from latchkey.core.exceptions import InvalidInput
from latchkey.email_addresses.verify import send_verification
from latchkey.mail.outbox import require_mail_server
from latchkey.passwords.reset import send_reset

INACTIVE = "This user is deactivated; reactivate the user first."
VERIFIED = "The e-mail address of this user is verified already."


def send_reset_mail(user: User, operator: Operator) -> None:
    """Send the mail with which a user sets a new password.

    Raises ServiceUnavailable without a mail server, and InvalidInput for an inactive user.
    """
    require_mail_server()
    if not send_reset(user.pk, operator):
        raise InvalidInput({"user_id": [INACTIVE]})


def send_verification_mail(user: User, operator: Operator) -> None:
    """Send the mail with which a user verifies the address.

    Raises ServiceUnavailable without a mail server, and InvalidInput for an inactive user or a verified address.
    """
    require_mail_server()
    if user.email_verified_at is not None:
        raise InvalidInput({"user_id": [VERIFIED]})
    if not send_verification(user.pk, operator):
        raise InvalidInput({"user_id": [INACTIVE]})
