"""The last active superuser cannot be deleted, deactivated or demoted at any door, and a start restores a lost one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest
from django.db import connections, transaction

from latchkey.accounts.admin_actions import deactivate
from latchkey.accounts.models import User
from latchkey.accounts.superuser import ensure_superuser
from latchkey.core.exceptions import LastSuperuser
from latchkey.management.commands.serve import NO_SUPERUSER
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server
from tests.support.admin_pages import USERS, Browser, run_action, save_user, shown_messages, sign_in, user_page

FLAGS = ("is_active", "is_staff", "is_superuser")


def boss() -> User:
    return User.objects.get(email=SUPERUSER_EMAIL)


def make_deputy() -> User:
    return User.objects.create_superuser("deputy@example.com", PASSWORD)


@pytest.mark.parametrize("flag", FLAGS)
def test_admin_user_form_does_not_demote_or_deactivate_the_last_superuser(admin: Browser, flag: str) -> None:
    answer = save_user(admin, boss().pk, **{flag: None})
    assert answer.status_code == 200
    assert "This is the last active superuser" in answer.text
    assert [getattr(boss(), name) for name in FLAGS] == [True, True, True]
    assert admin.get(USERS).status_code == 200


@pytest.mark.parametrize("flag", FLAGS)
def test_admin_user_form_demotes_a_superuser_who_is_not_the_last(admin: Browser, flag: str) -> None:
    deputy = make_deputy()
    save_user(admin, deputy.pk, **{flag: None})
    deputy.refresh_from_db()
    assert not getattr(deputy, flag)


def test_admin_user_form_changes_other_fields_of_the_last_superuser(admin: Browser) -> None:
    assert "was changed successfully" in shown_messages(save_user(admin, boss().pk, username="The boss"))[0]
    assert boss().username == "The boss"


@pytest.mark.parametrize("flag", FLAGS)
def test_admin_superusers_who_cannot_sign_in_to_the_admin_area_do_not_count(admin: Browser, flag: str) -> None:
    User.objects.filter(pk=make_deputy().pk).update(**{flag: False})
    assert "This is the last active superuser" in save_user(admin, boss().pk, is_superuser=None).text
    assert admin.post(user_page(boss().pk, "delete"), {"post": "yes"}).status_code == 403
    assert boss().is_superuser


def test_admin_deactivate_action_leaves_the_operator_and_so_a_superuser(admin: Browser) -> None:
    deputy = make_deputy()
    answer = run_action(admin, USERS, "deactivate_users", boss().pk, deputy.pk)
    assert shown_messages(answer) == ["Deactivated: 1 of 2 selected users."]
    assert (boss().is_active, User.objects.get(pk=deputy.pk).is_active) == (True, False)


def test_deactivating_all_superusers_deactivates_nobody(alice: Person) -> None:
    superusers = [make_deputy().pk, User.objects.create_superuser(SUPERUSER_EMAIL, PASSWORD).pk]
    with pytest.raises(LastSuperuser):
        deactivate([*superusers, alice.id])
    assert not User.objects.filter(is_active=False).exists()
    assert alice.me().status_code == 200
    assert deactivate([superusers[0], alice.id]) == 2


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("fields", [None, FLAGS])
def test_saving_the_last_superuser_without_a_right_is_refused_whoever_saves(
    db: None, flag: str, fields: tuple[str, ...] | None
) -> None:
    last = User.objects.create_superuser(SUPERUSER_EMAIL, PASSWORD)
    setattr(last, flag, False)
    with pytest.raises(LastSuperuser), transaction.atomic():
        last.save(update_fields=fields)
    assert getattr(boss(), flag)
    make_deputy()
    last.save(update_fields=fields)
    assert not getattr(boss(), flag)


@pytest.mark.django_db(transaction=True)
def test_superusers_who_demote_each_other_at_the_same_time_leave_one() -> None:
    people = [User.objects.create_superuser(f"{name}@example.com", PASSWORD).pk for name in ("a", "b", "c")]
    start = Barrier(len(people))

    def demote(user_id: int) -> bool:
        user = User.objects.get(pk=user_id)
        user.is_superuser = False
        start.wait()
        try:
            user.save(update_fields=["is_superuser"])
        except LastSuperuser:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(len(people)) as threads:
        assert sorted(threads.map(demote, people)) == [False, True, True]
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


def test_delete_account_of_the_last_superuser_is_refused_while_others_are_inactive(alice: Person) -> None:
    User.objects.filter(pk=alice.id).update(is_superuser=True, is_staff=True)
    User.objects.filter(pk=make_deputy().pk).update(is_active=False)
    answer = alice.http.request("DELETE", "/api/me/", json={"password": PASSWORD}, headers=alice.bearer())
    assert_problem(answer, 403, "last_superuser")
    assert alice.me().status_code == 200


def lost_rights(**flags: bool) -> Callable[[], Any]:
    return lambda: User.objects.filter(email=SUPERUSER_EMAIL).update(**flags)


@pytest.mark.parametrize(
    "lose", [lost_rights(is_active=False), lost_rights(is_superuser=False), lost_rights(is_staff=False)]
)
def test_superuser_of_the_environment_gets_lost_rights_back_with_the_new_password(
    admin: Browser, alice: Person, lose: Callable[[], Any]
) -> None:
    lose()
    new = "a password of the environment"
    assert ensure_superuser(SUPERUSER_EMAIL.upper(), new) is None
    assert [getattr(boss(), name) for name in FLAGS] == [True, True, True]
    assert sign_in(SUPERUSER_EMAIL, new).get(USERS).status_code == 200
    assert admin.get(USERS).status_code == 302  # sessions from before have ended
    assert try_login(alice.http, SUPERUSER_EMAIL).status_code == 401


def test_superuser_of_the_environment_without_a_password_is_restored_with_a_generated_one(admin: Browser) -> None:
    lost_rights(is_active=False)()
    generated = ensure_superuser(SUPERUSER_EMAIL, "")
    assert generated
    assert sign_in(SUPERUSER_EMAIL, generated).get(USERS).status_code == 200


def test_superuser_of_the_environment_changes_nothing_while_there_is_another(admin: Browser) -> None:
    deputy = make_deputy()
    User.objects.filter(pk=deputy.pk).update(is_superuser=False)
    assert ensure_superuser(deputy.email, "a password of the environment") is None
    deputy.refresh_from_db()
    assert (deputy.is_superuser, deputy.check_password(PASSWORD)) == (False, True)


def test_superuser_of_the_environment_is_created_beside_inactive_superusers(admin: Browser) -> None:
    lost_rights(is_active=False)()
    assert ensure_superuser("carol@example.com", PASSWORD) is None
    assert User.objects.get(email="carol@example.com").is_superuser
    assert not boss().is_active


@pytest.mark.slow
def test_serve_without_a_superuser_says_so_and_restores_the_one_of_the_environment(server: Server) -> None:
    assert NO_SUPERUSER not in server.log.read_text()
    email = server.environment.pop("LATCHKEY_ADMIN_EMAIL")
    server.shell("User.objects.update(is_superuser=False, is_active=False)")
    server.stop()
    server.environment["LATCHKEY_ADMIN_EMAIL"] = "other@example.com"
    server.restart()
    others = "print(User.objects.get(is_superuser=True, is_active=True, is_staff=True).email)"
    assert server.shell(others) == "other@example.com"
    server.shell("User.objects.update(is_superuser=False, is_active=False)")
    server.stop()
    server.environment["LATCHKEY_ADMIN_EMAIL"] = email
    server.restart()
    assert server.shell(others) == email
    with httpx.Client(base_url=server.url) as http:
        assert try_login(http, ADMIN_EMAIL, ADMIN_PASSWORD).status_code == 200


@pytest.mark.slow
def test_serve_that_cannot_restore_a_superuser_says_how(server: Server) -> None:
    server.shell("User.objects.update(is_superuser=False, is_staff=False)")
    server.stop()
    done = server.command("serve", "--port", str(server.port))
    assert done.returncode == 2
    assert "an account with this address exists, and it is not one of staff; use another." in done.stderr
