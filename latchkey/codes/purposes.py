"""What a link or a code is for: it opens this one thing, and leads to this page of ours."""

from enum import StrEnum


class Purpose(StrEnum):
    """One thing that who reads a mailbox may do."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - no password
    EMAIL_VERIFICATION = "email_verification"
    EMAIL_CHANGE = "email_change"


PAGES = {
    Purpose.PASSWORD_RESET: "/reset-password/",
    Purpose.EMAIL_VERIFICATION: "/verify-email/",
    Purpose.EMAIL_CHANGE: "/confirm-email/",
}
