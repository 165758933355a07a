"""What was put into the outbox, unsealed: the mails as their readers get them, without a mail server."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from latchkey.mail.models import Mail
from latchkey.mail.outbox import CONTEXT_ENCRYPTION


@dataclass(frozen=True)
class Letter:
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
    def typed(self) -> dict[str, str]:
        """Return what its reader types."""
        return {"email": self.to, "code": self.code}


def letters(to: str | None = None) -> list[Letter]:
    """Return all mails in the order in which they were written, or those to one address."""
    mails = Mail.objects.order_by("pk")
    written = [Letter(mail.kind, mail.to_address, context_of(mail)) for mail in mails]
    return [letter for letter in written if to in (None, letter.to)]


def letter(to: str) -> Letter:
    """Return the newest mail to an address."""
    return letters(to)[-1]


def opener(to: str | None = None) -> Letter:
    """Return the newest mail that opens something, whatever notices came after it."""
    return [mail for mail in letters(to) if "code" in mail.context][-1]


def context_of(mail: Mail) -> dict[str, Any]:
    unsealed = CONTEXT_ENCRYPTION.decrypt(bytes(mail.encrypted_context))
    assert unsealed is not None
    context: dict[str, Any] = json.loads(unsealed)
    return context
