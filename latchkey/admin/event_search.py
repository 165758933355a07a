"""What the words in the box above the events mean."""

import ipaddress
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from latchkey.accounts.models import User, normalize_for_lookup
from latchkey.audit.events import PERSISTED

DIGITS = 19
"""The most of an id: those of users are short, those of sessions 63 random bits."""

NO_MATCH = Q(pk=None)


def parse_term(word: str) -> Q:
    """Return what a word asks for; one that can mean nothing finds nothing."""
    return next(interpretations(word), NO_MATCH)


def interpretations(word: str) -> Iterator[Q]:
    """Yield what a word can mean, the likeliest first: a person, an id, a day, an address, events by name.

    Persons and ids of users have an index; the rest is looked for from the newest event on.
    """
    if "@" in word:
        of_address = User.objects.filter(email=normalize_for_lookup(word))
        yield Q(user_id__in=list(of_address.values_list("pk", flat=True)))
    if word.isascii() and word.isdigit() and len(word) <= DIGITS and int(word) < 2**63:
        yield Q(user_id=int(word)) if len(word) < DIGITS - 3 else Q(session_id=int(word))
    with suppress(ValueError, OverflowError):
        day = datetime.strptime(word, "%Y-%m-%d").replace(tzinfo=UTC)
        yield Q(at__gte=day, at__lt=day + timedelta(days=1))
    with suppress(ValueError):
        yield Q(ip=str(ipaddress.ip_address(word)))
    if names := [name for name in PERSISTED if word.lower() in name]:
        yield Q(name__in=names)
