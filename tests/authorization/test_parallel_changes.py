"""Changes of roles and claims at once, in threads: none is lost, and none waits for another for good."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from latchkey.accounts.models import User
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.custom_claims import set_claims
from latchkey.authorization.models import Role, UserRole
from latchkey.authorization.roles import delete_role, grant_role, revoke_role, set_roles
from latchkey.authorization.token_claims import build_token_claims
from latchkey.profile.erasure import erase
from tests.authorization.members import role

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user() -> User:
    return User.objects.create_user("alice@example.com")


def run_at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run all actions at once; return their results, and the sentences of those that were refused.

    A deadlock is an error of the database, and ends the test.
    """
    start = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            start.wait(10)
            return action()
        except ValueError as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def assert_column_repeats_the_rows() -> None:
    for each in User.objects.all():
        names = list(UserRole.objects.filter(user=each).values_list("role__name", flat=True))
        assert each.token_claims == build_token_claims(names, each.claims)


def test_two_grants_at_the_same_time_both_survive(user: User) -> None:
    roles = [role(name) for name in ("editor", "viewer")]
    for _ in range(10):
        assert run_at_once(*(partial(grant_role, [user.pk], each, COMMAND_LINE) for each in roles)) == [1, 1]
        user.refresh_from_db()
        assert user.token_claims == '{"roles":["editor","viewer"]}'
        set_roles(user.pk, [], COMMAND_LINE)


def test_the_same_grant_twice_at_the_same_time_is_one(user: User) -> None:
    made = role("editor")
    for _ in range(10):
        assert sorted(run_at_once(*[partial(grant_role, [user.pk], made, COMMAND_LINE)] * 4)) == [0, 0, 0, 1]
        assert revoke_role([user.pk], made, COMMAND_LINE) == 1


def test_grants_claims_and_revocations_at_the_same_time_leave_the_column_right(user: User) -> None:
    roles = [role(f"role.{number}") for number in range(4)]
    for number in range(5):
        actions: list[Callable[[], Any]] = [partial(grant_role, [user.pk], each, COMMAND_LINE) for each in roles]
        actions += [partial(revoke_role, [user.pk], roles[0], COMMAND_LINE)]
        actions += [partial(set_claims, user.pk, {"number": number + extra}, COMMAND_LINE) for extra in (0, 100)]
        run_at_once(*actions)
        assert_column_repeats_the_rows()
        user.refresh_from_db()
        assert {"role.1", "role.2", "role.3"} <= set(UserRole.objects.values_list("role__name", flat=True))
        assert user.claims in ({"number": number}, {"number": number + 100})


def test_grants_of_several_users_in_any_order_do_not_deadlock() -> None:
    users = [User.objects.create_user(f"user.{number}@example.com").pk for number in range(20)]
    roles = [role(name) for name in ("editor", "viewer")]
    for _ in range(5):
        run_at_once(
            *(partial(grant_role, users, each, COMMAND_LINE) for each in roles),
            *(partial(grant_role, users[::-1], each, COMMAND_LINE) for each in roles),
            partial(set_roles, users[3], ["viewer", "editor"], COMMAND_LINE),
            partial(revoke_role, users[:10], roles[0], COMMAND_LINE),
        )
        assert_column_repeats_the_rows()


def test_role_that_is_deleted_while_it_is_granted_is_granted_to_nobody() -> None:
    """A grant is either taken away again, or refused."""
    users = [User.objects.create_user(f"user.{number}@example.com").pk for number in range(8)]
    for _ in range(10):
        made = role("editor")
        grants = [partial(grant_role, [user], made, COMMAND_LINE) for user in users]
        results = run_at_once(*grants, lambda made=made: sum(delete_role(made, COMMAND_LINE)))  # type: ignore[misc]
        granted = [result for result in results[:-1] if result == 1]
        refused = [result for result in results[:-1] if result == "There is no such role any more."]
        assert len(granted) + len(refused) == len(users)
        assert results[-1] == len(granted)
        assert not Role.objects.exists()
        assert not UserRole.objects.exists()
        assert not User.objects.exclude(token_claims="").exists()


def test_two_deletions_of_a_role_at_once_take_it_away_once(user: User) -> None:
    made = role("editor")
    grant_role([user.pk], made, COMMAND_LINE)
    results = run_at_once(*[lambda: sum(delete_role(made, COMMAND_LINE))] * 3)
    assert sum(results) == 1
    assert not Role.objects.exists()


def test_role_that_is_granted_while_the_account_is_deleted_leaves_nothing() -> None:
    made = role("editor")
    for number in range(10):
        user = User.objects.create_user(f"alice.{number}@example.com")
        run_at_once(partial(grant_role, [user.pk], made, COMMAND_LINE), partial(erase, user))
        assert not UserRole.objects.exists()
        assert not User.objects.filter(pk=user.pk).exists()


def test_save_of_a_stale_user_brings_no_roles_and_claims_back(user: User) -> None:
    made = role("editor")
    grant_role([user.pk], made, COMMAND_LINE)
    set_claims(user.pk, {"department": "sales"}, COMMAND_LINE)
    stale, other = User.objects.get(pk=user.pk), User.objects.get(pk=user.pk)
    set_claims(user.pk, {}, COMMAND_LINE)
    revoke_role([user.pk], made, COMMAND_LINE)
    stale.save()
    other.username = "Alice"
    other.set_password("another horse battery")
    other.save()
    for each in (User.objects.get(pk=user.pk), stale, other):
        assert (each.claims, each.token_claims) == (None, "")
    grant_role([user.pk], made, COMMAND_LINE)
    stale.is_active = False
    stale.save()
    assert User.objects.get(pk=user.pk).token_claims == '{"roles":["editor"]}'
