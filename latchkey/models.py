"""Where Django looks for the models."""

from latchkey.accounts.models import User
from latchkey.sessions.models import Session

__all__ = ["Session", "User"]
