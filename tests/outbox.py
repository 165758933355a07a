"""The outbox with decrypted contexts: mails as their readers get them, without a mail server."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from latchkey.mail.models import Mail
from latchkey.mail.outbox import CONTEXT_ENCRYPTION


@dataclass(frozen=True)
class SentMail:
    """A mail: its kind, its recipient and the context of its template."""

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
        """Return the fields of a request that submits the code."""
        return {"email": self.to, "code": self.code}


def sent_mails(to: str | None = None) -> list[SentMail]:
    """Return all mails in the order of their creation, or those to one address."""
    mails = Mail.objects.order_by("pk")
    written = [SentMail(mail.kind, mail.to_address, decrypt_context(mail)) for mail in mails]
    return [mail for mail in written if to in (None, mail.to)]


def last_mail(to: str) -> SentMail:
    """Return the newest mail to an address."""
    return sent_mails(to)[-1]


def last_code_mail(to: str | None = None) -> SentMail:
    """Return the newest mail with a code, whatever notices came after it."""
    return [mail for mail in sent_mails(to) if "code" in mail.context][-1]


def decrypt_context(mail: Mail) -> dict[str, Any]:
    decrypted = CONTEXT_ENCRYPTION.decrypt(bytes(mail.encrypted_context))
    assert decrypted is not None
    context: dict[str, Any] = json.loads(decrypted)
    return context
