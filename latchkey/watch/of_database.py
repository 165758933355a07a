"""What /metrics tells of the database: the same on every node."""

from latchkey.watch.live_sessions import live_sessions
from latchkey.watch.mail_queue import mail_queue


def of_database() -> dict[str, tuple[str, float]]:
    """Return each number by the name of its metric, with what it tells; raises DatabaseError."""
    waiting, oldest = mail_queue()
    return {
        "latchkey_live_sessions": ("Sessions that sign somebody in.", live_sessions()),
        "latchkey_mail_waiting": ("Mails that are still to be sent.", waiting),
        "latchkey_mail_oldest_seconds": ("Since the oldest of them was written.", oldest),
    }
