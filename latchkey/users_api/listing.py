"""The list of users for back ends: filters, and pages in the order of creation, the newest first.

A page takes a bounded number of rows, however many users there are. Each filter alone, and each with a span of time, is
a range of one index (keyset pagination). A role together with a state has no index of its own: then MAX_EXAMINED users
with the role are examined, or in the state, whichever gets further. So such a page may have fewer users than asked for,
or none, and there is a next one all the same.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.db.models import BooleanField, DateTimeField, F, Func, Q, QuerySet, Value

from latchkey.accounts.models import User
from latchkey.authorization.models import Role, UserRole
from latchkey.core.exceptions import InvalidInput
from latchkey.users_api.cursors import Position, decode_cursor, encode_cursor

MAX_PAGE, DEFAULT_PAGE = 100, 50
"""Users of a page: at most, and where the request does not say."""

MAX_EXAMINED = 250
"""Rows of an index that are read for a page with a role and a state."""

COLUMNS = (
    *("id", "email", "email_verified_at", "username", "is_active", "is_staff", "created_at"),
    *("claims", "token_claims", "second_factors"),
)
"""Columns of the user object of the API: nothing else is read, and no password."""


class State(StrEnum):
    """A state of accounts: whether they are active, or that their e-mail address is not verified."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    UNVERIFIED = "unverified"


CONDITIONS = {
    State.ACTIVE: Q(is_active=True),
    State.INACTIVE: Q(is_active=False),
    State.UNVERIFIED: Q(email_verified_at=None),
}
"""The condition of each state: that of its partial index."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which users to list: all conditions together. email is normalized; created_after includes the time itself."""

    email: str = ""
    role: str = ""
    state: State | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def as_text(self) -> str:
        """Return a text that is the same for the same filters only; a cursor is bound to it."""
        times = [str(at and at.astimezone(UTC)) for at in (self.created_after, self.created_before)]
        return json.dumps([self.email, self.role, self.state, *times])


@dataclass(frozen=True, slots=True)
class Page:
    """A page of users, and the cursor of the next one, None at the end."""

    users: list[User]
    next: str | None


class Row(Func):
    """A row value of SQL, (a, b): rows are compared in the order of an index over both columns."""

    template = "(%(expressions)s)"
    output_field = BooleanField()  # Django wants one; nobody reads it


def list_users(filters: Filters, limit: int = DEFAULT_PAGE, cursor: str = "") -> Page:
    """Return the page after a cursor, the first one without; one to five SELECTs.

    Raises InvalidInput for a role that does not exist, or for a cursor of another list.
    """
    after = decode_cursor(cursor, filters.as_text()) if cursor else None
    role_id = _find_role(filters.role) if filters.role else None
    condition = CONDITIONS[filters.state] if filters.state else Q()
    if filters.email:
        condition &= Q(email=filters.email) & (Q() if role_id is None else Q(role_grants__role=role_id))
    if filters.email or role_id is None:
        users, last = _first(_between(User.objects.filter(condition), filters, after), limit)
    elif filters.state is None:
        users, last = _with_role(role_id, filters, after, limit)
    else:
        users, last = _with_role_and_state(role_id, filters.state, filters, after, limit)
    return Page(users, encode_cursor(last, filters.as_text()) if last else None)


def _find_role(name: str) -> int:
    found = Role.objects.filter(name=name).values_list("pk", flat=True).first()
    if found is None:
        raise InvalidInput({"role": [f"There is no role {name!r}."]})
    return found


def _with_role(role_id: int, filters: Filters, after: Position | None, limit: int) -> tuple[list[User], Any]:
    """Return a page of the users with a role, and the last position of it where there are more."""
    held = _positions(_grants(role_id, filters, after), limit + 1)
    return _load(held[:limit]), held[limit - 1] if len(held) > limit else None


def _with_role_and_state(
    role_id: int, state: State, filters: Filters, after: Position | None, limit: int
) -> tuple[list[User], Any]:
    """Return a page of the users with a role and in a state, and the position up to which users were examined.

    It is None where nothing is left to examine. First come the next users with the role; if too few of them are in the
    state, those in the state, unless they are closer together than the former. Each statement reads rows by their ids
    or a range of one index, so that no planner can choose to scan a table.
    """
    of_role = _positions(_grants(role_id, filters, after), MAX_EXAMINED)
    columns = User.objects.filter(pk__in=_ids(of_role)).order_by().values_list("pk", "is_active", "email_verified_at")
    matching = {pk for pk, is_active, verified_at in columns if _is_in(state, is_active, verified_at)}
    found = [each for each in of_role if each.user_id in matching]
    examined = of_role
    if len(found) <= limit and len(of_role) == MAX_EXAMINED:
        in_state = _positions(_between(User.objects.filter(CONDITIONS[state]), filters, after), MAX_EXAMINED)
        if len(in_state) < MAX_EXAMINED or in_state[-1] < of_role[-1]:
            held = UserRole.objects.filter(role=role_id, user__in=_ids(in_state))
            holders = set(held.values_list("user_id", flat=True))
            found, examined = [each for each in in_state if each.user_id in holders], in_state
    if len(found) > limit:
        return _load(found[:limit]), found[limit - 1]
    return _load(found), examined[-1] if len(examined) == MAX_EXAMINED else None


def _is_in(state: State, is_active: bool, verified_at: datetime | None) -> bool:
    return verified_at is None if state is State.UNVERIFIED else is_active == (state is State.ACTIVE)


def _grants(role_id: int, filters: Filters, after: Position | None) -> QuerySet[UserRole]:
    return _between(UserRole.objects.filter(role=role_id), filters, after, "user_created_at", "user_id")


def _between(
    rows: "QuerySet[Any, Any]", filters: Filters, after: Position | None, time: str = "created_at", id_: str = "pk"
) -> "QuerySet[Any, Any]":
    """Return the rows in the filters' span of time that come after a position, in the order of the list.

    A position is before the end of the span. So it stands in its place: of two ends SQLite takes the wider one for the
    range of the index, and reads all users who were created at the same time again for each page.
    """
    if filters.created_after:
        rows = rows.filter(**{f"{time}__gte": filters.created_after})
    if filters.created_before and not after:
        rows = rows.filter(**{f"{time}__lt": filters.created_before})
    if after:
        end = Row(Value(after.created_at, DateTimeField()), Value(after.user_id))
        is_after = Func(
            Row(F(time), F(id_)), end, template="%(expressions)s", arg_joiner=" < ", output_field=BooleanField()
        )
        rows = rows.filter(is_after)
    return rows.order_by(f"-{time}", f"-{id_}")


def _positions(rows: "QuerySet[Any, Any]", limit: int) -> list[Position]:
    time, id_ = (str(name).removeprefix("-") for name in rows.query.order_by)
    return [Position(*row) for row in rows.values_list(time, id_)[:limit]]


def _ids(positions: list[Position]) -> list[int]:
    return [position.user_id for position in positions]


def _load(positions: list[Position]) -> list[User]:
    """Return the users at these positions, in the same order, without those deleted meanwhile."""
    found = User.objects.only(*COLUMNS).in_bulk(_ids(positions))
    return [found[each] for each in _ids(positions) if each in found]


def _first(users: "QuerySet[User]", limit: int) -> tuple[list[User], Position | None]:
    """Return the first of these ordered users, and the position of the last one where there are more."""
    found = list(users.only(*COLUMNS)[: limit + 1])
    page = found[:limit]
    return page, Position(page[-1].created_at, page[-1].pk) if len(found) > limit else None
