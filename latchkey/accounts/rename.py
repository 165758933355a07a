"""Change the display name."""

from latchkey.accounts.models import User


def rename(user: User, username: str) -> User:
    """Store the display name and return the user as it now is; nothing else of the row is written."""
    User.objects.filter(pk=user.pk).update(username=username)
    user.username = username
    return user
