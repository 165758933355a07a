"""An operator who deletes a user leaves as little behind as somebody who leaves by themselves."""

from collections.abc import Callable

import pytest

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import enqueue
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import USERS, Browser, user_page


def on_the_page(admin: Browser, user_id: int) -> int:
    return int(admin.post(user_page(user_id, "delete"), {"post": "yes"}).status_code)


def in_the_list(admin: Browser, user_id: int) -> int:
    ticked = {"action": "delete_selected", "_selected_action": [user_id], "post": "yes"}
    return int(admin.post(USERS, ticked).status_code)


DELETE_FORMS = pytest.mark.parametrize("way", [on_the_page, in_the_list])


@DELETE_FORMS
@pytest.mark.parametrize("active", [True, False])
def test_events_lose_their_place_and_mails_go(
    admin: Browser, alice: Person, way: Callable[[Browser, int], int], active: bool
) -> None:
    enqueue(MailKind.NEW_DEVICE, alice.email, {}, alice.id)
    User.objects.filter(pk=alice.id).update(is_active=active)
    assert way(admin, alice.id) == 302
    assert alice.me().status_code == 401
    assert not User.objects.filter(pk=alice.id).exists()
    assert not Mail.objects.exists()
    events = AuditEvent.objects.filter(user_id=alice.id)
    assert {(each.ip, each.user_agent) for each in events} == {(None, "")}
    assert events.latest("id").name == "user.deleted"
    admin.get(USERS)  # which says once more who was deleted
    assert alice.email not in admin.get("/admin/").content.decode() + admin.get(USERS).content.decode()


@DELETE_FORMS
def test_the_last_superuser_stays(admin: Browser, way: Callable[[Browser, int], int]) -> None:
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    assert way(admin, boss.pk) == 403
    assert User.objects.filter(pk=boss.pk).exists()
    deputy = User.objects.create_superuser("deputy@example.com", PASSWORD)
    assert way(admin, deputy.pk) == 302
    assert not User.objects.filter(pk=deputy.pk).exists()


def test_of_the_last_superusers_not_all_are_deleted_at_once(admin: Browser, alice: Person) -> None:
    deputy, boss = (
        User.objects.create_superuser("deputy@example.com", PASSWORD),
        User.objects.get(email=SUPERUSER_EMAIL),
    )
    chosen = [alice.id, deputy.pk, boss.pk]
    ticked = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert admin.post(USERS, ticked).status_code == 403
    assert set(User.objects.filter(pk__in=chosen).values_list("pk", flat=True)) == set(chosen)
