"""E-mail addresses by the million: as strict as one by one, without asking about the same domain again."""

import re
from functools import lru_cache

from latchkey.accounts.models import normalize_email

MAX_LOCAL_PART = 64
"""Characters before the @ (RFC 5321 section 4.5.3.1.1)."""

_DOT_ATOM = re.compile(r"([A-Za-z0-9_]+(?:[.+-][A-Za-z0-9_]+)*)@([A-Za-z0-9.-]+)", re.ASCII)


def normalize_email_cached(text: str) -> str:
    """Return what accounts.models.normalize_email returns, and raise what it raises.

    That takes 20 microseconds, most of it for the domain. So what is in front of the @ is looked at here where it is
    plain, and a domain only if no address with it came by lately.
    """
    found = _DOT_ATOM.fullmatch(text)
    if found is None or len(found[1]) > MAX_LOCAL_PART:
        return normalize_email(text)
    domain = _normalize_domain(found[2])
    return f"{found[1].lower()}@{domain}" if domain else normalize_email(text)


@lru_cache(maxsize=10_000)
def _normalize_domain(text: str) -> str | None:
    """Return the canonical domain if an address with the longest plain front would be one: then any is."""
    try:
        return normalize_email("a" * MAX_LOCAL_PART + "@" + text).partition("@")[2]
    except ValueError:
        return None
