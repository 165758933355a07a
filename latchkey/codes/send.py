"""Post a mail with a link and a code."""

from latchkey.accounts.models import User
from latchkey.codes.issue import LIFETIME, issue
from latchkey.codes.purposes import Purpose
from latchkey.mail.kinds import Kind
from latchkey.mail.outbox import post

KINDS = {
    Purpose.PASSWORD_RESET: Kind.PASSWORD_RESET,
    Purpose.EMAIL_VERIFICATION: Kind.EMAIL_VERIFICATION,
    Purpose.EMAIL_CHANGE: Kind.EMAIL_CHANGE,
}


def send(user: User, purpose: Purpose, new_email: str = "", kind: Kind | None = None) -> None:
    """Put a link and a code into the outbox, in the transaction around.

    They go to the new address where there is one.
    """
    issued = issue(user, purpose, new_email)
    context = {
        "link": issued.link,
        "code": issued.code,
        "minutes": str(int(LIFETIME.total_seconds()) // 60),
        "expires_at": issued.expires_at.isoformat(),
        "username": user.greeted_as,
    }
    post(kind or KINDS[purpose], new_email or user.email, context, user.pk)
