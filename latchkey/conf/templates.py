"""Django template engines: one for pages, one for HTML mails (escaping) and one for plain-text mails (not escaping)."""

from pathlib import Path
from typing import Any

PAGE_ENGINE, MAIL_HTML_ENGINE, MAIL_TEXT_ENGINE = "django", "mail_html", "mail_text"


def template_engines(own: str, shipped: Path) -> list[dict[str, Any]]:
    """Return TEMPLATES; a template in the operator's own directory overrides the shipped one of the same name."""
    common = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*([Path(own)] if own else []), shipped],
    }
    processors = [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]
    return [
        {**common, "NAME": PAGE_ENGINE, "APP_DIRS": True, "OPTIONS": {"context_processors": processors}},
        {**common, "NAME": MAIL_HTML_ENGINE, "OPTIONS": {"autoescape": True}},
        {**common, "NAME": MAIL_TEXT_ENGINE, "OPTIONS": {"autoescape": False}},
    ]
