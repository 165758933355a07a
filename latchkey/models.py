"""Where Django looks for the models."""

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.email_codes.models import Code
from latchkey.mail.models import Mail
from latchkey.metrics_server.models import Tally
from latchkey.oauth.models import ServiceCredential
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session
from latchkey.signing_keys.models import SigningKey

__all__ = ["Attempt", "AuditEvent", "Code", "Mail", "ServiceCredential", "Session", "SigningKey", "Tally", "User"]
