"""One canonical form for an e-mail address: registration, login, the admin and the command line agree on it."""

from email_validator import EmailNotValidError, validate_email

MAX_LENGTH = 254
"""Characters (RFC 5321 section 4.5.3.1.3, less the angle brackets)."""


def normalize_email(text: str) -> str:
    """Return the address as it is stored and compared: trimmed, NFC, lower case, its domain in Unicode.

    Raises ValueError with a sentence for whoever typed it. Nothing is looked up in the DNS.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise ValueError(f"An e-mail address has at most {MAX_LENGTH} characters.")
    try:
        address = validate_email(text, check_deliverability=False, strict=True).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError("This is not a valid e-mail address.") from error
    if len(address) > MAX_LENGTH:
        raise ValueError(f"An e-mail address has at most {MAX_LENGTH} characters.")
    return address


def normalize_for_lookup(text: str) -> str:
    """Return the canonical form, or the text itself where it can be nobody's: a name to count attempts by."""
    try:
        return normalize_email(text)
    except ValueError:
        return text
