"""Rendering of a queued mail: its row becomes a message with a text, an HTML part and headers.

It happens at the attempt, not when the mail is queued, so that templates can be repaired while mails wait.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, formataddr, parseaddr
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import engines
from django.utils import translation

from latchkey.conf.email import parse_from_address
from latchkey.conf.site import Site, current_site
from latchkey.conf.templates import MAIL_HTML_ENGINE, MAIL_TEXT_ENGINE
from latchkey.core import clock
from latchkey.mail.failures import BROKEN_TEMPLATE, EXPIRED, UNDECRYPTABLE, UNKNOWN_KIND, Failure
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import CONTEXT_ENCRYPTION

UNVERIFIED_RECIPIENT = frozenset({MailKind.EMAIL_VERIFICATION, MailKind.EMAIL_CHANGE})
"""Mails to an address that somebody merely claims: they repeat nothing that the user wrote."""

MAX_NAME_LENGTH = 64
_CLICKABLE = re.compile(r"[/\\:.@\u2024-\u2026\u3002\ufe52\uff61]|\d(?:[^\w]*\d){4}")
"""What mail programs make links of: URLs, host names and e-mail addresses, also with the full stops of other scripts;
and telephone numbers, from five digits on."""

OURS = frozenset({"link", "cancel_link", "code", "minutes", "days", "expires_at", "when", "due"})
"""Values that no client has a say in; only `link` and `cancel_link` are meant to be clicked."""


class Unsendable(Exception):
    """A mail that cannot be turned into a message, with the failure."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure


def load_message(mail: Mail) -> EmailMultiAlternatives:
    """Return the message of a row of the outbox; raises Unsendable."""
    decrypted = CONTEXT_ENCRYPTION.decrypt(bytes(mail.encrypted_context))
    if decrypted is None:
        raise Unsendable(UNDECRYPTABLE)
    context: Mapping[str, str] = json.loads(decrypted)
    if "expires_at" in context and datetime.fromisoformat(context["expires_at"]) <= clock.now():
        raise Unsendable(EXPIRED)
    try:
        kind = MailKind(mail.kind)
    except ValueError as error:  # of a newer version, which runs beside this one
        raise Unsendable(UNKNOWN_KIND) from error
    try:
        return render_mail(kind, mail.to_address, context, mail.pk, mail.created_at)
    except Exception as error:  # anything that an operator's template can raise
        raise Unsendable(BROKEN_TEMPLATE) from error


def render_mail(
    kind: MailKind, to: str, context: Mapping[str, str], number: int, at: datetime
) -> EmailMultiAlternatives:
    """Return a mail of this kind, as text and as HTML; raises TemplateSyntaxError and the like for a broken template.

    Every attempt at the same row has the same Message-ID and Date, so that a server can recognize a mail that it has
    already (RFC 5322 section 3.6.4). Auto-Submitted keeps absence notes from answering (RFC 3834 section 5).
    """
    host, site = urlsplit(settings.PUBLIC_URL).hostname or "localhost", current_site()
    values = harmless_values(context) | site_values(site)
    values |= {"greeting": greeting(kind, context), "language": settings.MAIL_LANGUAGE}
    with translation.override(settings.MAIL_LANGUAGE):
        subject = " ".join(render_template(MAIL_TEXT_ENGINE, f"{kind}.subject.txt", values).split())
        values["subject"] = subject
        text = render_template(MAIL_TEXT_ENGINE, f"{kind}.txt", values)
        html = render_template(MAIL_HTML_ENGINE, f"{kind}.html", values)
    headers = {
        "Message-ID": f"<mail-{number}.{at:%Y%m%d%H%M%S%f}@{host}>",
        "Date": format_datetime(at),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    message = EmailMultiAlternatives(subject, text, sender(site), [to], headers=headers)
    message.attach_alternative(html, "text/html")
    return message


def site_values(site: Site) -> dict[str, str]:
    """Return the variables of every mail: the name of the site as `site`, and what else is set of it."""
    return {
        "site": site.name,
        "app_url": site.app_url,
        "logo_url": site.absolute_logo_url,
        "accent_color": site.accent_color,
        "accent_text_color": site.accent_text_color,
        "support_email": site.support_email,
    }


def sender(site: Site) -> str:
    """Return the sender: LATCHKEY_EMAIL_FROM as it is, or without one no-reply under the name of the site."""
    default = parse_from_address("", settings.PUBLIC_URL)
    return formataddr((site.name, parseaddr(default)[1])) if default == settings.MAIL_FROM else settings.MAIL_FROM


def harmless_values(context: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a template without any that a mail program would make a link of.

    They are chosen so that there is none; this holds for what other code, or another version, has queued as well.
    """
    return {name: value if name in OURS or not is_clickable(value) else "" for name, value in context.items()}


def is_clickable(text: str) -> bool:
    """Return whether a mail program may turn a part of the text into a link; an IP address alone is none."""
    try:
        ip_address(text)
    except ValueError:
        return _CLICKABLE.search(unicodedata.normalize("NFKC", text)) is not None or not text.isprintable()
    return False


def greeting(kind: MailKind, context: Mapping[str, str]) -> str:
    """Return the display name for the salutation, or '' if there is none that is safe to repeat."""
    name = context.get("username", "")
    is_safe = len(name) <= MAX_NAME_LENGTH and not is_clickable(name) and not {"<", ">"} & set(name)
    return name if kind not in UNVERIFIED_RECIPIENT and is_safe else ""


def render_template(engine: str, name: str, values: Mapping[str, str]) -> str:
    """Return the template filled with these values, which are data: template syntax in them is not evaluated."""
    return engines[engine].get_template(f"mail/{name}").render(dict(values))
