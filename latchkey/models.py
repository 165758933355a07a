"""Where Django looks for the models."""

from latchkey.accounts.models import User
from latchkey.keys.models import SigningKey
from latchkey.limits.models import Attempt
from latchkey.services.models import ServiceCredential
from latchkey.sessions.models import Session

__all__ = ["Attempt", "ServiceCredential", "Session", "SigningKey", "User"]
