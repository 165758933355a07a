"""Where Django looks for the models."""

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.codes.models import Code
from latchkey.keys.models import SigningKey
from latchkey.limits.models import Attempt
from latchkey.mail.models import Mail
from latchkey.services.models import ServiceCredential
from latchkey.sessions.models import Session
from latchkey.watch.models import Tally

__all__ = ["Attempt", "AuditEvent", "Code", "Mail", "ServiceCredential", "Session", "SigningKey", "Tally", "User"]
