"""Query parameters of the list of users: their forms, and the filters that they make."""

import re
from collections.abc import Mapping
from datetime import datetime

from latchkey.accounts.models import normalize_email
from latchkey.authorization.models import NAME
from latchkey.core.exceptions import InvalidInput
from latchkey.users_api.listing import DEFAULT_PAGE, Filters, State

TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
"""Form of a time (RFC 3339 section 5.6); a plus sign in a query is written as %2B."""

FORMS = {
    "email": re.compile(r"[^\x00]{1,320}"),
    "role": NAME,
    "state": re.compile("active|inactive|unverified"),
    "created_after": TIME,
    "created_before": TIME,
    "limit": re.compile("[1-9][0-9]?|100"),
    "cursor": re.compile("[A-Za-z0-9_-]{43}"),
}


def parse_filters(given: Mapping[str, str]) -> Filters:
    """Return the filters of parameters of these forms.

    Raises InvalidInput for an e-mail address or a time that cannot be.
    """
    return Filters(
        email=_parse_email(given["email"]) if "email" in given else "",
        role=given.get("role", ""),
        state=State(given["state"]) if "state" in given else None,
        created_after=_parse_time(given, "created_after"),
        created_before=_parse_time(given, "created_before"),
    )


def parse_limit(given: Mapping[str, str]) -> int:
    """Return the number of users of a page."""
    return int(given.get("limit", DEFAULT_PAGE))


def _parse_email(text: str) -> str:
    try:
        return normalize_email(text)
    except ValueError as error:
        raise InvalidInput({"email": [str(error)]}) from error


def _parse_time(given: Mapping[str, str], name: str) -> datetime | None:
    if name not in given:
        return None
    try:
        at = datetime.fromisoformat(given[name].upper())
    except ValueError as error:
        raise InvalidInput({name: ["There is no such time."]}) from error
    if not 1970 <= at.year <= 9998:  # a time of another zone must not leave the calendar
        raise InvalidInput({name: ["Send a time from 1970 on."]})
    return at
