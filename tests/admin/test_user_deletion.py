"""Deletion of a user in the admin: it erases as much as deleting one's own account."""

from collections.abc import Callable

import pytest

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import enqueue
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import USERS, Browser, user_page


def delete_on_user_page(admin: Browser, user_id: int) -> int:
    return int(admin.post(user_page(user_id, "delete"), {"post": "yes"}).status_code)


def delete_in_list(admin: Browser, user_id: int) -> int:
    form = {"action": "delete_selected", "_selected_action": [user_id], "post": "yes"}
    return int(admin.post(USERS, form).status_code)


DELETE_FORMS = pytest.mark.parametrize("delete", [delete_on_user_page, delete_in_list])


@DELETE_FORMS
@pytest.mark.parametrize("active", [True, False])
def test_admin_delete_user_clears_ip_and_user_agent_of_events_and_deletes_mails(
    admin: Browser, alice: Person, delete: Callable[[Browser, int], int], active: bool
) -> None:
    enqueue(MailKind.NEW_DEVICE, alice.email, {}, alice.id)
    User.objects.filter(pk=alice.id).update(is_active=active)
    assert delete(admin, alice.id) == 302
    assert alice.me().status_code == 401
    assert not User.objects.filter(pk=alice.id).exists()
    assert not Mail.objects.exists()
    *before, deleted = AuditEvent.objects.filter(user_id=alice.id).order_by("id")
    assert {(each.ip, each.user_agent) for each in before} == {(None, "")}
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    assert (deleted.name, deleted.actor_id, deleted.ip) == ("user.deleted", boss.pk, "127.0.0.1")  # the operator's
    admin.get(USERS)  # which says once more who was deleted
    assert alice.email not in admin.get("/admin/").content.decode() + admin.get(USERS).content.decode()


@DELETE_FORMS
def test_admin_does_not_delete_the_last_superuser(admin: Browser, delete: Callable[[Browser, int], int]) -> None:
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    assert delete(admin, boss.pk) == 403
    assert User.objects.filter(pk=boss.pk).exists()
    deputy = User.objects.create_superuser("deputy@example.com", PASSWORD)
    assert delete(admin, deputy.pk) == 302
    assert not User.objects.filter(pk=deputy.pk).exists()


def test_admin_delete_action_does_not_delete_all_superusers_together(admin: Browser, alice: Person) -> None:
    deputy, boss = (
        User.objects.create_superuser("deputy@example.com", PASSWORD),
        User.objects.get(email=SUPERUSER_EMAIL),
    )
    chosen = [alice.id, deputy.pk, boss.pk]
    form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert admin.post(USERS, form).status_code == 403
    assert set(User.objects.filter(pk__in=chosen).values_list("pk", flat=True)) == set(chosen)
