"""All models of the app, imported from their packages: Django looks for them here."""

from latchkey.accounts.models import User
from latchkey.api_keys.models import ApiKey
from latchkey.applications.models import Application, ClientCredential
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import Role, Scope, UserRole
from latchkey.email_codes.models import OneTimeCode
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.factors.tickets import Ticket
from latchkey.idempotency.models import IdempotencyKey
from latchkey.mail.models import Mail
from latchkey.metrics_server.models import HourlyCount
from latchkey.passkeys.models import Passkey
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session
from latchkey.signing_keys.models import SigningKey

__all__ = [
    "ApiKey",
    "Application",
    "Attempt",
    "AuditEvent",
    "ClientCredential",
    "FactorRecovery",
    "HourlyCount",
    "IdempotencyKey",
    "Mail",
    "OneTimeCode",
    "Passkey",
    "RecoveryCode",
    "Role",
    "Scope",
    "Session",
    "SigningKey",
    "Ticket",
    "TotpSecret",
    "User",
    "UserRole",
]
