"""System checks of mail (latchkey.E011, E012): every template can be rendered, and verification has a mail server.

Templates may be the operator's own, so `latchkey serve` renders each once before it serves anything.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import to_locale

from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.mail.models import MailKind
from latchkey.mail.render import render_mail

SAMPLE_CONTEXT = {
    "username": "Alice",
    "link": "https://auth.example.com/",
    "code": "1234-5678",
    "minutes": "30",
    "when": "2026-01-31 12:00 UTC",
    "device": "Firefox on Linux",
    "address": "192.0.2.1",
    "factor": "passkey",
    "left": "2",
    "few": "yes",
    "due": "2026-02-07 12:00 UTC",
    "days": "3",
    "cancel_link": "https://auth.example.com/",
}
"""Every value that a template can use."""


@register(Tags.templates, deploy=True)
def templates_can_be_filled(**kwargs: Any) -> list[CheckMessage]:
    """Report templates that cannot be rendered, an operator's own included (E011)."""
    return [Error(sentence, id="latchkey.E011") for sentence in broken_templates()]


@register(Tags.security, deploy=True)
def verification_has_mail(**kwargs: Any) -> list[CheckMessage]:
    """Report that e-mail verification is on without a mail server, so that nobody could verify an address (E012)."""
    if settings.MAIL_SERVER or current_policy().email_verification == "off":
        return []
    hint = "Set it (docs/mail.md), or turn EMAIL_VERIFICATION off in the admin area."
    return [Error("EMAIL_URL is not set, and EMAIL_VERIFICATION is on.", hint=hint, id="latchkey.E012")]


def refuse_broken_templates() -> None:
    """Raise ImproperlyConfigured, with one line for each template that cannot be rendered."""
    if sentences := list(broken_templates()):
        raise ImproperlyConfigured("\nlatchkey: ".join(f"{sentence} (latchkey.E011)" for sentence in sentences))


def broken_templates() -> Iterator[str]:
    """Yield a sentence for each mail that cannot be rendered, and for a folder or translation that is missing."""
    if settings.TEMPLATES_DIR and not Path(settings.TEMPLATES_DIR).is_dir():
        yield "LATCHKEY_TEMPLATES_DIR is not a readable folder."
    catalogue = Path("locale", to_locale(settings.MAIL_LANGUAGE), "LC_MESSAGES", "django.mo")
    if settings.MAIL_LANGUAGE != "en" and not Path(settings.TEMPLATES_DIR or "/", catalogue).is_file():
        yield f"LATCHKEY_MAIL_LANGUAGE is {settings.MAIL_LANGUAGE!r}, and LATCHKEY_TEMPLATES_DIR has no {catalogue}."
    for kind in MailKind:
        try:
            render_mail(kind, "alice@example.com", SAMPLE_CONTEXT, 0, clock.now())
        except Exception as error:  # anything that an operator's template can raise
            message = " ".join(str(error).split())
            yield f"The templates of the mail {kind} cannot be used: {message}."
