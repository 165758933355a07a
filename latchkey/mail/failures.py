"""What went wrong with a mail, in a few words of ours: what a server says may repeat addresses, or worse."""

import smtplib
import socket
import ssl
from dataclasses import dataclass

PERMANENT = 500
"""Replies from here on are final (RFC 5321 section 4.2.1); below, as with greylisting, it may be taken later."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a mail was not taken; whether it never will be; and whether the next one would fare no better just now."""

    phrase: str
    is_permanent: bool = False
    is_server_error: bool = False


EXPIRED = Failure("expired", is_permanent=True)
NOT_CONFIGURED = Failure("EMAIL_URL is not set", is_permanent=True)
UNDECRYPTABLE = Failure("cannot be decrypted", is_permanent=True)
UNKNOWN_KIND = Failure("unknown kind")
NOT_ASCII = Failure("address is not ASCII", is_permanent=True)
INTERNAL_ERROR = Failure("mistake of ours, see the log")
BROKEN_TEMPLATE = Failure("template is broken")


def classify(error: OSError | ValueError) -> Failure:
    """Return what an error of smtplib means for the mail in hand.

    Only the recipient's refusal and that of the mail itself end it: a wrong password or sender is for the operator to
    mend, and then the mail goes out.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _rejected(max(int(code) for code, _ in error.recipients.values()))
    if isinstance(error, smtplib.SMTPDataError):
        return _rejected(error.smtp_code)
    if isinstance(error, smtplib.SMTPResponseException):
        words: dict[type[OSError], str] = {
            smtplib.SMTPAuthenticationError: "sign-in refused",
            smtplib.SMTPSenderRefused: "sender refused",
        }
        return Failure(f"{words.get(type(error), 'server refused')} {error.smtp_code}", is_server_error=True)
    if isinstance(error, OSError):
        return Failure(_connection_error(error), is_server_error=True)
    return Failure("address cannot be used", is_permanent=True)


def _rejected(code: int) -> Failure:
    return Failure(f"refused {code}", is_permanent=code >= PERMANENT, is_server_error=code == 421)  # 421: it hangs up


def _connection_error(error: BaseException) -> str:
    """Return what became of the connection; smtplib has one word for many ends, and keeps the cause beside it."""
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
