"""Search syntax of the audit log: what a word in the search box can mean."""

import ipaddress
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from latchkey.accounts.models import User, normalize_for_lookup
from latchkey.audit.events import PERSISTED

DIGITS = 19
"""Maximum length of an id. Ids of users are short; ids of sessions are 63 random bits."""

NO_MATCH = Q(pk=None)
"""Condition that no event meets."""


def parse_term(word: str) -> Q:
    """Return the condition for a word; a word without a meaning finds nothing."""
    return next(interpretations(word), NO_MATCH)


def interpretations(word: str) -> Iterator[Q]:
    """Yield the meanings of a word, the likeliest first: e-mail address, id, day, IP address, part of an event name.

    Only the user and the operator of an event are indexed; other conditions are evaluated from the newest event
    backwards.
    """
    if "@" in word:
        of_address = User.objects.filter(email=normalize_for_lookup(word))
        ids = list(of_address.values_list("pk", flat=True))
        yield Q(user_id__in=ids) | Q(actor_id__in=ids)
    if word.isascii() and word.isdigit() and len(word) <= DIGITS and int(word) < 2**63:
        of_person = Q(user_id=int(word)) | Q(actor_id=int(word))
        yield of_person if len(word) < DIGITS - 3 else Q(session_id=int(word))
    with suppress(ValueError, OverflowError):
        day = datetime.strptime(word, "%Y-%m-%d").replace(tzinfo=UTC)
        yield Q(at__gte=day, at__lt=day + timedelta(days=1))
    with suppress(ValueError):
        yield Q(ip=str(ipaddress.ip_address(word)))
    if names := [name for name in PERSISTED if word.lower() in name]:
        yield Q(name__in=names)
