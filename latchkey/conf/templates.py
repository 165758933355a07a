"""The template engines: one for pages, and two for mails, HTML where what people wrote is escaped, and plain text."""

from pathlib import Path
from typing import Any

PAGES, HTML, TEXT = "django", "mail_html", "mail_text"


def template_engines(own: str, shipped: Path) -> list[dict[str, Any]]:
    """Return TEMPLATES; files in a folder of the operator's own come before ours, one by one."""
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
        {**common, "NAME": PAGES, "APP_DIRS": True, "OPTIONS": {"context_processors": processors}},
        {**common, "NAME": HTML, "OPTIONS": {"autoescape": True}},
        {**common, "NAME": TEXT, "OPTIONS": {"autoescape": False}},
    ]
