"""The two template engines of mails: HTML, where what people wrote is escaped, and text, where it stands as it is."""

from pathlib import Path
from typing import Any

HTML, TEXT = "mail_html", "mail_text"


def mail_engines(own: str, shipped: Path) -> list[dict[str, Any]]:
    """Return the entries of TEMPLATES; files in a folder of the operator's own come before ours, one by one."""
    folders = [*([Path(own)] if own else []), shipped]
    backend = "django.template.backends.django.DjangoTemplates"
    return [
        {"BACKEND": backend, "NAME": name, "DIRS": folders, "OPTIONS": {"autoescape": name == HTML}}
        for name in (HTML, TEXT)
    ]
