"""What was put into the outbox, unsealed: the mails as their readers get them, without a mail server."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from latchkey.mail.models import Mail
from latchkey.mail.outbox import CONTEXT_ENCRYPTION


@dataclass(frozen=True)
class SentMail:
    """A mail: what it is about, to whom, and what its template is filled with."""

    kind: str
    to: str
    context: dict[str, Any]

    @property
    def link(self) -> str:
        return str(self.context["link"])

    @property
    def token(self) -> str:
        (token,) = parse_qs(urlsplit(self.link).query)["token"]
        return token

    @property
    def code(self) -> str:
        return str(self.context["code"])

    @property
    def code_fields(self) -> dict[str, str]:
        """Return what its reader types."""
        return {"email": self.to, "code": self.code}


def sent_mails(to: str | None = None) -> list[SentMail]:
    """Return all mails in the order in which they were written, or those to one address."""
    mails = Mail.objects.order_by("pk")
    written = [SentMail(mail.kind, mail.to_address, decrypt_context(mail)) for mail in mails]
    return [letter for letter in written if to in (None, letter.to)]


def last_mail(to: str) -> SentMail:
    """Return the newest mail to an address."""
    return sent_mails(to)[-1]


def last_code_mail(to: str | None = None) -> SentMail:
    """Return the newest mail that opens something, whatever notices came after it."""
    return [mail for mail in sent_mails(to) if "code" in mail.context][-1]


def decrypt_context(mail: Mail) -> dict[str, Any]:
    unsealed = CONTEXT_ENCRYPTION.decrypt(bytes(mail.encrypted_context))
    assert unsealed is not None
    context: dict[str, Any] = json.loads(unsealed)
    return context
