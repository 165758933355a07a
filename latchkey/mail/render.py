"""A mail as it goes over the wire: filled templates, and headers by which servers and people can tell what it is.

Make a mail out of its row.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import engines
from django.utils import translation

from latchkey.conf.templates import MAIL_HTML_ENGINE, MAIL_TEXT_ENGINE
from latchkey.core import clock
from latchkey.mail.failures import BROKEN_TEMPLATE, EXPIRED, NOT_ASCII, UNDECRYPTABLE, UNKNOWN_KIND, Failure
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import CONTEXT_ENCRYPTION

UNVERIFIED_RECIPIENT = frozenset({MailKind.EMAIL_VERIFICATION, MailKind.EMAIL_CHANGE})
"""What goes to an address that somebody merely claims: nothing that they wrote is repeated there."""
_NAME = re.compile(r"[^/\\:.@<>\n\r]{1,64}")
"""A name that no mail program takes for a link: else strangers could have us send theirs to anybody's address."""


def render_mail(
    kind: MailKind, to: str, context: Mapping[str, str], number: int, at: datetime
) -> EmailMultiAlternatives:
    """Return a mail of this kind, as text and as HTML; raises TemplateSyntaxError and the like for a broken template.

    Every attempt at the same row has the same Message-ID and Date, so that a server that got it already can tell
    (RFC 5322 section 3.6.4). Auto-Submitted keeps absence notes from answering (RFC 3834 section 5).
    """
    site = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    facts = {**context, "site": site, "greeting": greeting(kind, context), "language": settings.MAIL_LANGUAGE}
    with translation.override(settings.MAIL_LANGUAGE):
        facts["subject"] = subject = " ".join(render_template(MAIL_TEXT_ENGINE, f"{kind}.subject.txt", facts).split())
        text, html = (
            render_template(engine, f"{kind}.{end}", facts)
            for engine, end in ((MAIL_TEXT_ENGINE, "txt"), (MAIL_HTML_ENGINE, "html"))
        )
    headers = {
        "Message-ID": f"<mail-{number}.{at:%Y%m%d%H%M%S%f}@{site}>",
        "Date": format_datetime(at),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    mail = EmailMultiAlternatives(subject, text, settings.MAIL_FROM, [to], headers=headers)
    mail.attach_alternative(html, "text/html")
    return mail


def greeting(kind: MailKind, context: Mapping[str, str]) -> str:
    """Return the name to greet somebody by, '' where there is none that is fit to be repeated."""
    name = context.get("username", "")
    return name if kind not in UNVERIFIED_RECIPIENT and _NAME.fullmatch(name) else ""


def render_template(engine: str, name: str, facts: Mapping[str, str]) -> str:
    """Return a template with these values in it; they are data, whatever they look like."""
    return engines[engine].get_template(f"mail/{name}").render(dict(facts))


class Unsendable(Exception):
    """A mail that cannot even be tried, and why."""

    def __init__(self, why: Failure) -> None:
        self.failure = why


def load_message(mail: Mail) -> EmailMultiAlternatives:
    """Return the mail that a row stands for; raises Unsendable."""
    unsealed = CONTEXT_ENCRYPTION.decrypt(bytes(mail.encrypted_context))
    if unsealed is None:
        raise Unsendable(UNDECRYPTABLE)
    context: Mapping[str, str] = json.loads(unsealed)
    if "expires_at" in context and datetime.fromisoformat(context["expires_at"]) <= clock.now():
        raise Unsendable(EXPIRED)
    try:
        kind = MailKind(mail.kind)
    except ValueError as error:  # of a newer version, which serves beside this one
        raise Unsendable(UNKNOWN_KIND) from error
    if not mail.to_address.rpartition("@")[0].isascii():  # SMTPUTF8 (RFC 6531) is not in Django's backend
        raise Unsendable(NOT_ASCII)
    try:
        return render_mail(kind, mail.to_address, context, mail.pk, mail.created_at)
    except Exception as error:  # of an operator's template, whose code this is
        raise Unsendable(BROKEN_TEMPLATE) from error
