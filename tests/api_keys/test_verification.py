"""Validation of API keys: which are accepted, what they cost, and what they open."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.api_keys import verification
from latchkey.api_keys.api_key import checksum
from latchkey.api_keys.models import ApiKey
from latchkey.api_keys.verification import VerifiedKey, verify_key
from latchkey.applications.models import Application
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.roles import revoke_role
from latchkey.core import clock as service_clock
from latchkey.core.exceptions import InvalidToken
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from tests.api_keys.requests import create, create_application, create_of_application, grant_scopes, use
from tests.people import Person
from tests.problems import assert_problem

Statements = Callable[[Callable[[], Any]], list[str]]
MADE_UP = "latchkey_p" + "a" * 49


@pytest.fixture(autouse=True)
def no_pause() -> Iterator[None]:
    """Begin and end without the pause that follows a failed write of last_used_at."""
    verification._Pause.until = 0.0
    yield
    verification._Pause.until = 0.0


def scopes_of(key: str) -> frozenset[str]:
    return verify_key(key).scopes


def test_verified_key_says_whose_it_is_and_what_both_may_do(clock: time_machine.Traveller, alice: Person) -> None:
    grant_scopes(alice, "users:read", "users:write")
    created = create(alice, "users:read")
    found = verify_key(created["key"])
    now = int(service_clock.now().timestamp())
    assert found == VerifiedKey(
        created["id"],
        frozenset({"users:read"}),
        now,
        now + 90 * 86_400,
        (alice.id, alice.email, "", 0),  # type: ignore[arg-type]  # a KeyUser is a tuple
        "",
    )


def test_scope_that_the_owner_loses_is_lost_at_the_next_request_and_comes_back(alice: Person) -> None:
    role = grant_scopes(alice, "users:read", "users:write")
    key = create(alice, "users:read", "users:write")["key"]
    assert scopes_of(key) == {"users:read", "users:write"}
    role.scopes.remove(role.scopes.get(name="users:write"))
    assert scopes_of(key) == {"users:read"}
    revoke_role([alice.id], role, COMMAND_LINE)
    assert scopes_of(key) == frozenset()
    grant_scopes(alice, "users:read", role="again")
    assert scopes_of(key) == {"users:read"}


def test_key_without_scopes_gains_none_when_its_owner_does(alice: Person) -> None:
    key = create(alice)["key"]
    grant_scopes(alice, "users:read")
    assert scopes_of(key) == frozenset()


def test_scope_that_an_application_loses_is_lost_to_its_keys(http: httpx.Client) -> None:
    application = create_application("billing", ["users:read", "users:write"])
    key = create_of_application(application, "users:read", "users:write")
    found = verify_key(key)
    assert (found.user, found.client_id) == (None, "billing")
    assert found.scopes == {"users:read", "users:write"}
    application.scopes.clear()
    assert scopes_of(key) == frozenset()


def test_key_of_a_deactivated_person_is_refused_until_the_person_is_reactivated(alice: Person) -> None:
    key = create(alice)["key"]
    User.objects.filter(pk=alice.id).update(is_active=False)
    assert_problem(use(alice.http, key), 401, "invalid_token")
    User.objects.filter(pk=alice.id).update(is_active=True)
    assert use(alice.http, key).status_code == 200


def test_key_of_a_deactivated_or_deleted_application_is_refused(http: httpx.Client) -> None:
    application = create_application()
    key = create_of_application(application)
    assert verify_key(key)
    Application.objects.update(is_active=False)
    with pytest.raises(InvalidToken):
        verify_key(key)
    Application.objects.update(is_active=True)
    application.delete()
    with pytest.raises(InvalidToken):
        verify_key(key)
    assert not ApiKey.objects.exists()


def test_key_is_refused_from_the_moment_on_at_which_it_expires(
    clock: time_machine.Traveller, http: httpx.Client
) -> None:
    alice = Person(http, "alice@example.com").register().login()
    key = create(alice, expires_in_days=1)["key"]
    clock.shift(timedelta(days=1) - timedelta(microseconds=1))
    assert use(http, key).status_code == 200
    clock.shift(timedelta(microseconds=1))
    assert_problem(use(http, key), 401, "invalid_token")


def test_key_without_expiry_is_accepted_ten_years_later(
    clock: time_machine.Traveller, http: httpx.Client, set_policy: Callable[..., None]
) -> None:
    alice = Person(http, "alice@example.com").register().login()
    set_policy(api_key_max_age=0)
    key = create(alice, expires_in_days=None)["key"]
    clock.shift(timedelta(days=3_652))
    assert use(http, key).status_code == 200
    assert verify_key(key).expires_at is None


@pytest.mark.parametrize(
    "presented",
    [
        "latchkey_",
        "latchkey_p",
        MADE_UP,
        "latchkey_x" + "a" * 49 + checksum("latchkey_x" + "a" * 49),
        MADE_UP + checksum(MADE_UP)[:-1] + "!",
        "latchkey_p" + "é" * 55,
        "latchkey_p" + "٣" * 55,  # Arabic digits
        "latchkey_p" + "a" * 4_096,
        MADE_UP + checksum(MADE_UP) + "\n",
    ],
)
def test_malformed_key_is_refused_without_a_statement(db: None, statements: Statements, presented: str) -> None:
    def verify() -> None:
        with pytest.raises(InvalidToken):
            verify_key(presented)

    assert statements(verify) == []


def test_mistyped_character_is_refused_by_the_checksum_alone(alice: Person, statements: Statements) -> None:
    key = create(alice)["key"]
    typed = key[:-8] + ("x" if key[-8] != "x" else "y") + key[-7:]

    def verify() -> None:
        with pytest.raises(InvalidToken):
            verify_key(typed)

    assert statements(verify) == []


def test_valid_key_takes_one_select_and_once_a_minute_one_update(
    clock: time_machine.Traveller, http: httpx.Client, statements: Statements
) -> None:
    alice = Person(http, "alice@example.com").register().login()
    grant_scopes(alice, "users:read")
    key = create(alice, "users:read")["key"]
    kinds = [sql.split()[0] for sql in statements(lambda: verify_key(key))]
    assert kinds == ["SELECT", "UPDATE"]
    clock.shift(timedelta(seconds=59))
    assert [sql.split()[0] for sql in statements(lambda: verify_key(key))] == ["SELECT"]
    assert ApiKey.objects.get().last_used_at == service_clock.now() - timedelta(seconds=59)
    clock.shift(timedelta(seconds=1))
    assert [sql.split()[0] for sql in statements(lambda: verify_key(key))] == ["SELECT", "UPDATE"]
    assert ApiKey.objects.get().last_used_at == service_clock.now()


def test_database_that_refuses_the_write_refuses_no_valid_key(
    alice: Person, monkeypatch: pytest.MonkeyPatch, statements: Statements
) -> None:
    key, other = create(alice)["key"], create(alice)["key"]
    monkeypatch.setattr(verification, "TOUCH", "UPDATE latchkey_no_such_table SET x = %(now)s{skip_locked}")
    assert use(alice.http, key).status_code == 200
    assert ApiKey.objects.filter(last_used_at__isnull=False).count() == 0
    kinds = [sql.split()[0] for sql in statements(lambda: verify_key(other))]
    assert kinds == ["SELECT"], "the process pauses, as each try may take as long as a lock is waited for"


def test_made_up_keys_are_limited_per_address_and_valid_ones_never(alice: Person) -> None:
    key, made_up = create(alice)["key"], MADE_UP + checksum(MADE_UP)
    codes = [use(alice.http, made_up).status_code for _ in range(MAX_PER_WINDOW + 2)]
    assert codes == [401] * MAX_PER_WINDOW + [429] * 2
    assert [use(alice.http, key).status_code for _ in range(3)] == [200] * 3
    assert use(alice.http, "latchkey_junk").status_code == 429
    assert alice.me().status_code == 200


def test_refused_key_is_logged_without_the_key(http: httpx.Client, captured_log: Any) -> None:
    made_up = MADE_UP + checksum(MADE_UP)
    use(http, made_up)
    assert "api_key.refused" in [line["event"] for line in captured_log.lines()]
    assert made_up not in captured_log.text
