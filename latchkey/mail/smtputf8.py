"""Mail to addresses with letters beyond ASCII before the @, by SMTPUTF8 (RFC 6531) where the server offers it.

Django's backend writes such a local part as an encoded word, which is another address. So these mails go through the
same connection, but with the address as it is, in the envelope and in the header. Whether a server takes them is known
only when it is asked; registration, which has to know earlier, goes by LATCHKEY_EMAIL_SMTPUTF8.
"""

from email import message_from_bytes, policy
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.encoding import punycode

from latchkey.core.exceptions import InvalidInput

UNDELIVERABLE = (
    "This address has letters before the at sign that the mail server of this service does not take; use another one."
)


def needs_smtputf8(address: str) -> bool:
    """Tell whether an address has a local part beyond ASCII; a domain beyond it is sent in its ASCII form."""
    return not address.rpartition("@")[0].isascii()


def require_deliverable(email: str) -> None:
    """Raise InvalidInput for an address that a mail has to reach, and that the mail server is not said to take."""
    if needs_smtputf8(email) and not settings.EMAIL_SMTPUTF8:
        raise InvalidInput({"email": [UNDELIVERABLE]})


def offers_smtputf8(smtp: Any) -> bool:
    """Ask an open connection of smtplib; raises OSError."""
    smtp.ehlo_or_helo_if_needed()
    return bool(smtp.has_extn("smtputf8"))


def send_smtputf8(smtp: Any, message: EmailMessage) -> None:
    """Send a mail with its address as it is; raises OSError and ValueError, as smtplib does."""
    (to,) = message.to
    local, _, domain = to.rpartition("@")
    document: Any = message_from_bytes(message.message().as_bytes(), policy=policy.SMTPUTF8)
    document.replace_header("To", f"{local}@{punycode(domain)}")
    options = ["SMTPUTF8", *(["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else [])]
    smtp.sendmail(
        parseaddr(message.from_email)[1], [f"{local}@{punycode(domain)}"], document.as_bytes(), mail_options=options
    )
