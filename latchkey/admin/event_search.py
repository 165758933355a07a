"""Search syntax of the audit log: what a word in the search box can mean."""

import ipaddress
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from latchkey.accounts.models import User, normalize_for_lookup
from latchkey.applications.models import CLIENT_ID
from latchkey.audit.events import PERSISTED
from latchkey.audit.models import AuditEvent

DIGITS = 19
"""Maximum length of an id. Ids of users are short; ids of sessions are 63 random bits."""

NO_MATCH = Q(pk=None)
"""Condition that no event meets."""


def events_by(client_id: str) -> Q:
    """Return the condition for events that an application caused.

    The second half is the condition of the index, from which SQLite does not infer that it holds.
    """
    return Q(client_id=client_id) & ~Q(client_id="")


def parse_term(word: str) -> Q:
    """Return the condition for a word; a word without a meaning finds nothing."""
    return next(interpretations(word), NO_MATCH)


def interpretations(word: str) -> Iterator[Q]:
    """Yield the meanings of a word, the likeliest first.

    They are an e-mail address, an id, a day, an IP address, a client id with events, and part of the name of an event.
    Only user, operator and application of an event are indexed; other conditions are evaluated from the newest event
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
    named = Q(name__in=[name for name in PERSISTED if word.lower() in name])
    if CLIENT_ID.fullmatch(word) and AuditEvent.objects.filter(events_by(word)).exists():
        yield events_by(word) | named  # an application may be called "login"
    yield named
