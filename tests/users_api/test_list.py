"""GET /api/users/: filters, pages and cursors."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.test.utils import override_settings

from latchkey.accounts.models import User
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Role, UserRole
from latchkey.authorization.roles import create_role, grant_role
from latchkey.users_api import listing
from tests.people import Person
from tests.problems import assert_problem
from tests.users_api.callers import KINDS, READ, WRITE, Caller, application

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def reader(http: httpx.Client) -> Caller:
    return application(http, READ)


@pytest.fixture
def editor(reader: Caller) -> Role:
    return create_role("editor", "", (), COMMAND_LINE)


def add_users(count: int, start: datetime = START, **columns: Any) -> list[int]:
    """Add users who were created a second after each other; return their ids, the newest first."""
    made = [
        User.objects.create(
            email=f"{uuid4()}@example.com", password="!", created_at=start + timedelta(seconds=n), **columns
        )
        for n in range(count)
    ]
    return [user.pk for user in reversed(made)]


def ids(answer: dict[str, Any]) -> list[int]:
    return [user["id"] for user in answer["users"]]


def read_all(reader: Caller, query: str = "") -> list[list[int]]:
    """Return the ids of every page of a list."""
    pages, cursor = [], ""
    while True:
        answer = reader.get(f"users/?limit=2&{query}{cursor and '&cursor='}{cursor}")
        pages.append(ids(answer))
        if answer["next"] is None:
            return pages
        cursor = answer["next"]


def test_list_answers_all_fields_of_a_user(reader: Caller, alice: Person, editor: Role) -> None:
    grant_role([alice.id], editor, COMMAND_LINE)
    (user,) = reader.get("users/")["users"]
    assert user == {
        "id": alice.id,
        "email": "alice@example.com",
        "email_verified": False,
        "username": "",
        "active": True,
        "staff": False,
        "created_at": user["created_at"],
        "roles": ["editor"],
        "claims": {},
        "second_factor": False,
    }
    assert reader.get(f"users/{alice.id}/") == user


@pytest.mark.parametrize("kind", KINDS)
def test_list_is_for_every_kind_of_caller_with_the_scope_to_read(http: httpx.Client, kind: str) -> None:
    assert KINDS[kind](http, READ).send("GET", "users/").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_list_is_refused_without_the_scope_to_read(http: httpx.Client, kind: str) -> None:
    assert_problem(KINDS[kind](http, WRITE).send("GET", "users/"), 403, "insufficient_scope")


def test_list_has_the_newest_users_first_in_pages_until_next_is_null(reader: Caller) -> None:
    newest = add_users(5)
    assert read_all(reader) == [newest[:2], newest[2:4], newest[4:]]


def test_page_has_50_users_unless_the_request_says_another_number(reader: Caller) -> None:
    add_users(60)
    assert len(reader.get("users/")["users"]) == 50
    assert len(reader.get("users/?limit=60")["users"]) == 60


def test_users_who_were_created_at_the_same_time_are_each_listed_once(reader: Caller) -> None:
    same = [User.objects.create(email=f"same{n}@example.com", password="!", created_at=START).pk for n in range(5)]
    assert [*chain(*read_all(reader))] == sorted(same, reverse=True)


def test_pages_go_on_at_their_place_while_users_are_created_and_deleted(reader: Caller) -> None:
    newest = add_users(4)
    cursor = reader.get("users/?limit=2")["next"]
    User.objects.get(pk=newest[1]).delete()  # the user at whom the page ended
    add_users(1, START + timedelta(days=1))
    assert ids(reader.get(f"users/?limit=2&cursor={cursor}")) == newest[2:]


@pytest.mark.parametrize("spelling", ["ALICE@Example.com", "%20alice@example.com"])
def test_list_finds_a_user_by_the_address_in_any_spelling(
    reader: Caller, alice: Person, bob: Person, spelling: str
) -> None:
    assert ids(reader.get(f"users/?email={spelling}")) == [alice.id]
    assert reader.get("users/?email=nobody@example.com") == {"users": [], "next": None}


@pytest.mark.parametrize(
    ("state", "columns"),
    [
        ("active", {"is_active": True, "email_verified_at": START}),
        ("inactive", {"is_active": False, "email_verified_at": START}),
        ("unverified", {"is_active": True, "email_verified_at": None}),
    ],
)
def test_list_finds_users_by_state(reader: Caller, state: str, columns: dict[str, Any]) -> None:
    add_users(2, is_active=state == "inactive", email_verified_at=START)
    wanted = add_users(3, **columns)
    assert [*chain(*read_all(reader, f"state={state}"))] == wanted


def test_list_finds_users_by_the_time_of_their_creation(reader: Caller) -> None:
    newest = add_users(5)
    span = "created_after=2026-01-01T00:00:01Z&created_before=2026-01-01T02:00:03%2B02:00"
    assert read_all(reader, span) == [newest[2:4]]


def test_list_finds_users_by_role(reader: Caller, editor: Role) -> None:
    newest = add_users(5)
    grant_role(newest[1:4], editor, COMMAND_LINE)
    assert read_all(reader, "role=editor") == [newest[1:3], newest[3:4]]
    assert read_all(reader, "role=editor&created_before=2026-01-01T00:00:02Z") == [newest[3:4]]
    assert ids(reader.get(f"users/?role=editor&email={User.objects.get(pk=newest[0]).email}")) == []


@pytest.mark.parametrize("examined", [1, 2, 3, 250])
def test_list_by_role_and_state_has_each_user_once_however_few_rows_a_page_examines(
    reader: Caller, editor: Role, monkeypatch: pytest.MonkeyPatch, examined: int
) -> None:
    monkeypatch.setattr(listing, "MAX_EXAMINED", examined)
    newest = add_users(12)
    User.objects.filter(pk__in=newest[::3]).update(is_active=False)
    grant_role(newest[::2], editor, COMMAND_LINE)
    for state, first in (("inactive", newest[::6]), ("active", [pk for pk in newest[::2] if pk not in newest[::3]])):
        assert [*chain(*read_all(reader, f"role=editor&state={state}"))] == first


def test_role_row_has_the_time_of_the_user(editor: Role, alice: Person) -> None:
    grant_role([alice.id], editor, COMMAND_LINE)
    assert UserRole.objects.get().user_created_at == User.objects.get(pk=alice.id).created_at


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=2&limit=3", "limit"),
        ("state=gone", "state"),
        ("role=Editor", "role"),
        ("role=nobody", "role"),
        ("email=nobody", "email"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-02-30T00:00:00Z", "created_after"),
        ("created_before=9999-12-31T23:59:59-23:00", "created_before"),
        ("cursor=x", "cursor"),
        ("page=2", "query"),
    ],
)
def test_list_refuses_parameters_that_are_unknown_or_malformed(reader: Caller, query: str, field: str) -> None:
    assert_problem(reader.send("GET", f"users/?{query}"), 400, "invalid", [field])


def test_cursor_that_was_altered_is_refused(reader: Caller) -> None:
    add_users(2)
    cursor = reader.get("users/?limit=1")["next"]
    for place in (0, 10, 21, 30, 42):
        altered = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert_problem(reader.send("GET", f"users/?cursor={altered}"), 400, "invalid", ["cursor"])


def test_cursor_of_a_list_with_other_filters_is_refused(reader: Caller) -> None:
    add_users(2)
    cursor = reader.get("users/?limit=1")["next"]
    assert_problem(reader.send("GET", f"users/?state=active&cursor={cursor}"), 400, "invalid", ["cursor"])


def test_cursor_stays_valid_while_the_former_secret_key_is_a_fallback(reader: Caller, settings: Any) -> None:
    newest = add_users(2)
    cursor = reader.get("users/?limit=1")["next"]
    former = settings.SECRET_KEY
    with override_settings(SECRET_KEY="another" * 10, SECRET_KEY_FALLBACKS=[former]):
        assert ids(application(reader.http, READ).get(f"users/?cursor={cursor}")) == newest[1:]


def test_list_takes_as_many_statements_for_many_users_as_for_one(
    reader: Caller, editor: Role, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    grant_role(add_users(1), editor, COMMAND_LINE)
    one = len(statements(lambda: reader.get("users/")))
    grant_role(add_users(20), editor, COMMAND_LINE)
    assert len(statements(lambda: reader.get("users/"))) == one == 2
    assert len(statements(lambda: reader.get("users/?role=editor"))) == 4
    assert len(statements(lambda: reader.get("users/?role=editor&state=active"))) == 5
