"""Normalization of e-mail addresses by the million, with a cache of domains; as strict as one at a time."""

import re
from functools import lru_cache

from latchkey.accounts.models import normalize_email

MAX_LOCAL_PART = 64
"""Characters before the @ (RFC 5321 section 4.5.3.1.1)."""

_DOT_ATOM = re.compile(r"([A-Za-z0-9_]+(?:[.+-][A-Za-z0-9_]+)*)@([A-Za-z0-9.-]+)", re.ASCII)


def normalize_email_cached(text: str) -> str:
    """Return what accounts.models.normalize_email returns, and raise what it raises.

    That takes 20 microseconds, most of it for the domain. So a plain local part is checked here, and a domain only if
    it is not cached.
    """
    found = _DOT_ATOM.fullmatch(text)
    if found is None or len(found[1]) > MAX_LOCAL_PART:
        return normalize_email(text)
    domain = _normalize_domain(found[2])
    return f"{found[1].lower()}@{domain}" if domain else normalize_email(text)


@lru_cache(maxsize=10_000)
def _normalize_domain(text: str) -> str | None:
    """Return the normalized domain if it is valid with the longest plain local part, because then it is with any."""
    try:
        return normalize_email("a" * MAX_LOCAL_PART + "@" + text).partition("@")[2]
    except ValueError:
        return None
