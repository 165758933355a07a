"""The closed list of mails that there are; each has its templates."""

from enum import StrEnum


class Kind(StrEnum):
    """What a mail is about, and the name of its templates: mail/<kind>.txt, .html and .subject.txt."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - no password
    EMAIL_VERIFICATION = "email_verification"
    EMAIL_CHANGE = "email_change"  # to the new address, which has to be confirmed
    REGISTRATION_OF_KNOWN_ADDRESS = "registration_of_known_address"
    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - no password
    EMAIL_CHANGED = "email_changed"  # to the address that it was
    SESSION_REPLAYED = "session_replayed"
