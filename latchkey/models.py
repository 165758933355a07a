"""All models of the app, imported from their packages: Django looks for them here."""

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.email_codes.models import OneTimeCode
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.factors.tickets import Ticket
from latchkey.mail.models import Mail
from latchkey.metrics_server.models import HourlyCount
from latchkey.oauth.models import ClientCredential
from latchkey.passkeys.models import Passkey
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session
from latchkey.signing_keys.models import SigningKey

__all__ = [
    "Attempt",
    "AuditEvent",
    "ClientCredential",
    "FactorRecovery",
    "HourlyCount",
    "Mail",
    "OneTimeCode",
    "Passkey",
    "RecoveryCode",
    "Session",
    "SigningKey",
    "Ticket",
    "TotpSecret",
    "User",
]
