"""Hand out every user, a part at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

from latchkey.accounts.models import User

PART = 2_000
"""Users read in one statement, and so held at once."""

COLUMNS = {"password_hash": "password"}
"""Of the fields that are called otherwise."""


def hand_out(fields: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """Return the users in the order of their ids, with these fields, of which the id comes first.

    Each part is a statement of its own, so that no transaction is open for minutes; who registers meanwhile is in it,
    or is not.
    """
    columns, last = [COLUMNS.get(name, name) for name in fields], -1
    while part := list(User.objects.filter(pk__gt=last).order_by("pk").values_list(*columns)[:PART]):
        last = part[-1][0]
        yield part
