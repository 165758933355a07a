"""Delivery failures of a mail: permanent or temporary, of this mail or of the server, in a few words of ours.

The server's own words are neither stored nor logged: they may repeat addresses, or worse.
"""

import smtplib
import socket
import ssl
from dataclasses import dataclass

PERMANENT = 500
"""Replies from here on are permanent (RFC 5321 section 4.2.1); lower ones, as with greylisting, are temporary."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A delivery failure: permanent or temporary, of this mail or of the server (then the next mail fails, too)."""

    phrase: str
    is_permanent: bool = False
    is_server_error: bool = False


EXPIRED = Failure("expired", is_permanent=True)
NOT_CONFIGURED = Failure("EMAIL_URL is not set", is_permanent=True)
UNDECRYPTABLE = Failure("cannot be decrypted", is_permanent=True)
UNKNOWN_KIND = Failure("unknown kind")
NOT_ASCII = Failure("address is not ASCII", is_permanent=True)
INTERNAL_ERROR = Failure("internal error, see the log")
BROKEN_TEMPLATE = Failure("template is broken")


def classify(error: OSError | ValueError) -> Failure:
    """Return the failure that an exception of smtplib means for the mail being sent.

    Only a refused recipient or a refused mail is permanent. A wrong password or sender is for the operator to fix, and
    then the mail is sent.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _rejected(max(int(code) for code, _ in error.recipients.values()))
    if isinstance(error, smtplib.SMTPDataError):
        return _rejected(error.smtp_code)
    if isinstance(error, smtplib.SMTPResponseException):
        phrases: dict[type[OSError], str] = {
            smtplib.SMTPAuthenticationError: "sign-in refused",
            smtplib.SMTPSenderRefused: "sender refused",
        }
        return Failure(f"{phrases.get(type(error), 'server refused')} {error.smtp_code}", is_server_error=True)
    if isinstance(error, OSError):
        return Failure(_connection_error(error), is_server_error=True)
    return Failure("address cannot be used", is_permanent=True)


def _rejected(code: int) -> Failure:
    return Failure(f"refused {code}", is_permanent=code >= PERMANENT, is_server_error=code == 421)  # 421: closing


def _connection_error(error: BaseException) -> str:
    """Return what happened to the connection; smtplib raises one type for many causes, and keeps the cause in it."""
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, OSError):
        error = error.__context__
    phrases: dict[type[BaseException], str] = {
        ssl.SSLCertVerificationError: "certificate not trusted",
        ssl.SSLError: "TLS failed",
        TimeoutError: "timed out",
        ConnectionRefusedError: "connection refused",
        socket.gaierror: "host not found",
        smtplib.SMTPNotSupportedError: "no STARTTLS, or no sign-in",
    }
    return next((phrase for kind, phrase in phrases.items() if isinstance(error, kind)), "connection lost")
