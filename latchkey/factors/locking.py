"""The order in which rows are locked: attempts, then the user, then factors and tickets, then sessions.

It is the same for every change and use of a factor, for the reset of a password and for deleting the account, so that
no two of them wait for each other (a deadlock). SQLite has one writer at a time, and locks no rows.
"""

from latchkey.accounts.models import User


def lock_user(user_id: int) -> None:
    """Lock the row of a user until the end of the caller's transaction; sessions can still refer to it."""
    User.objects.select_for_update(no_key=True).filter(pk=user_id).exists()
