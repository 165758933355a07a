"""Syntax of e-mail addresses (email-validator), special-use domains that the operator allows, and reasons for people.

The library's sentences repeat what was typed, and say "@-sign"; ours say which part is wrong and repeat nothing.
"""

from django.conf import settings
from email_validator import EmailNotValidError, validate_email

_REASONS = (
    ("special-use", "its domain is reserved for special use; the operator of this service can allow it"),
    ("should have a period", "its domain has no dot"),
    ("top-level domain", "its domain ends in no known way"),
    ("must have an @-sign", "it has no at sign"),
    ("at-sign", "it has an unusual at sign"),
    ("something before", "nothing stands before the at sign"),
    ("something after", "nothing stands after the at sign"),
    ("too long before", "the part before the at sign is too long"),
    ("too long after", "its domain is too long"),
    ("too long", "it is too long"),
    ("separated by so many", "a part of its domain is too long"),
    ("angle bracket", "write it without a name and brackets"),
    ("quote", "quotation marks are not supported"),
    ("brackets", "an IP address in place of a domain is not supported"),
    ("two periods", "it has two dots in a row"),
    ("after the email address", "something follows the address"),
    ("before the @-sign", "the part before the at sign has a character that is not allowed there"),
    ("after the @-sign", "its domain has a character that is not allowed there"),
    ("after a period", "its domain has a character that is not allowed there"),
    ("period", "a dot or a hyphen stands in the wrong place"),
    ("hyphen", "a dot or a hyphen stands in the wrong place"),
)
"""Words of the library's sentences, in the order in which they are looked for, and what is wrong in words of ours."""

_PROBE = ".example"
"""A domain that the library accepts: a special-use domain is checked as if it were a part of it."""


def parse_address(text: str) -> str:
    """Return the address as the library normalizes it; raises ValueError with a sentence that gives the reason.

    No DNS look-up is made.
    """
    try:
        return str(validate_email(text, check_deliverability=False, strict=True).normalized)
    except EmailNotValidError as error:
        if address := _parse_special_address(text):
            return address
        raise ValueError(f"This is not a valid e-mail address{_reason(str(error))}.") from error


def _parse_special_address(text: str) -> str | None:
    """Return an address at a special-use domain of LATCHKEY_EMAIL_SPECIAL_DOMAINS, None for any other text."""
    if not settings.EMAIL_SPECIAL_DOMAINS:
        return None
    try:
        probed = str(validate_email(f"{text}{_PROBE}", check_deliverability=False, strict=True).normalized)
    except EmailNotValidError:
        return None
    address = probed.removesuffix(_PROBE)
    domain = address.rpartition("@")[2].lower()
    allowed = any(domain == name or domain.endswith(f".{name}") for name in settings.EMAIL_SPECIAL_DOMAINS)
    return address if allowed and address != probed else None


def _reason(sentence: str) -> str:
    reason = next((reason for words, reason in _REASONS if words in sentence), "")
    return f": {reason}" if reason else ""
