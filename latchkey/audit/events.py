"""Audit events: the closed list, which of them are stored, and which may be mailed to the user."""

from enum import StrEnum

DETAIL_LENGTH = 64
"""Characters of the detail of an event: its reason, or the id of a key."""


class Event(StrEnum):
    """Name of an event, as `subject.participle`. docs/security.md lists them with their meaning."""

    USER_REGISTERED = "user.registered"
    USER_DEACTIVATED = "user.deactivated"
    USER_REACTIVATED = "user.reactivated"
    USER_DELETED = "user.deleted"
    USER_PRIVILEGES_CHANGED = "user.privileges_changed"
    USER_DISPLAY_NAME_CHANGED = "user.display_name_changed"
    USER_SIGNED_OUT_EVERYWHERE = "user.signed_out_everywhere"
    PASSWORD_REFUSED = "password.refused"  # noqa: S105 - no password
    PASSWORD_RESET_REQUESTED = "password.reset_requested"  # noqa: S105 - no password
    PASSWORD_RESET = "password.reset"  # noqa: S105 - no password
    EMAIL_VERIFICATION_REQUESTED = "email.verification_requested"
    EMAIL_VERIFIED = "email.verified"
    EMAIL_UNVERIFIED = "email.unverified"
    EMAIL_CHANGE_REQUESTED = "email.change_requested"
    EMAIL_CHANGED = "email.changed"
    CODE_REFUSED = "code.refused"
    REGISTRATION_REFUSED = "registration.refused"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - no password
    LOGIN_SUCCEEDED = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    LOGIN_CHALLENGED = "login.challenged"
    FACTOR_ADDED = "factor.added"
    FACTOR_REMOVED = "factor.removed"
    FACTOR_REFUSED = "factor.refused"
    FACTOR_RESET = "factor.reset"
    FACTOR_RECOVERY_REQUESTED = "factor_recovery.requested"
    FACTOR_RECOVERY_CANCELLED = "factor_recovery.cancelled"
    RECOVERY_CODE_USED = "recovery_code.used"
    RECOVERY_CODES_RENEWED = "recovery_codes.renewed"
    PASSKEY_SUSPICIOUS = "passkey.suspicious"
    STEP_UP_SUCCEEDED = "step_up.succeeded"
    STEP_UP_FAILED = "step_up.failed"
    ADMIN_LOGIN_SUCCEEDED = "admin_login.succeeded"
    ADMIN_LOGIN_FAILED = "admin_login.failed"
    RATE_LIMIT_EXCEEDED = "rate_limit.exceeded"
    RATE_LIMIT_RESET = "rate_limit.reset"
    HASHING_OVERLOADED = "hashing.overloaded"
    SESSION_REFRESHED = "session.refreshed"
    SESSION_RETRIED = "session.retried"
    SESSION_REPLAYED = "session.replayed"
    SESSION_REFUSED = "session.refused"
    SESSION_ENDED = "session.ended"
    GROUP_CHANGED = "group.changed"
    ROLE_CREATED = "role.created"
    ROLE_CHANGED = "role.changed"
    ROLE_DELETED = "role.deleted"
    ROLE_GRANTED = "role.granted"
    ROLE_REVOKED = "role.revoked"
    SCOPE_CREATED = "scope.created"
    SCOPE_CHANGED = "scope.changed"
    SCOPE_DELETED = "scope.deleted"
    CLAIMS_CHANGED = "claims.changed"
    APPLICATION_CREATED = "application.created"
    APPLICATION_CHANGED = "application.changed"
    APPLICATION_DELETED = "application.deleted"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    API_KEY_REFUSED = "api_key.refused"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - no token
    USER_INVITED = "user.invited"
    POLICY_CHANGED = "policy.changed"
    KEY_ROTATED = "key.rotated"
    KEY_RETIRED = "key.retired"
    USERS_IMPORTED = "users.imported"
    USERS_EXPORTED = "users.exported"
    SERVICE_ADDED = "service.added"
    SERVICE_REMOVED = "service.removed"
    SERVICE_REFUSED = "service.refused"
    MAIL_SENT = "mail.sent"
    MAIL_FAILED = "mail.failed"
    MAIL_RETRIED = "mail.retried"


PERSISTED = frozenset(event.value for event in Event) - {
    Event.SESSION_REFRESHED.value,
    Event.SESSION_RETRIED.value,
    Event.SESSION_REFUSED.value,
    Event.REGISTRATION_REFUSED.value,
    Event.RATE_LIMIT_EXCEEDED.value,
    Event.HASHING_OVERLOADED.value,
    Event.SERVICE_REFUSED.value,
    Event.API_KEY_REFUSED.value,
    Event.TOKEN_ISSUED.value,
}
"""Events that are stored in the database. The others are only logged and counted: they are too frequent, or anybody can
cause any number of them."""

NOTIFIABLE = frozenset(
    {
        Event.LOGIN_SUCCEEDED.value,
        Event.ADMIN_LOGIN_SUCCEEDED.value,
        Event.SESSION_REPLAYED.value,
        Event.PASSWORD_CHANGED.value,
        Event.FACTOR_ADDED.value,
        Event.FACTOR_REMOVED.value,
        Event.FACTOR_RESET.value,
        Event.RECOVERY_CODE_USED.value,
        Event.RECOVERY_CODES_RENEWED.value,
        Event.API_KEY_CREATED.value,
    }
)
"""Events about which the user may get a mail; `mail/notices.py` decides that later."""

WARNINGS = frozenset({Event.MAIL_FAILED.value})
"""Names of events whose log line is a warning: somebody waits for what an operator has to mend."""
