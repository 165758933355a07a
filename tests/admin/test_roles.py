"""Roles and custom claims in the admin area: the pages of roles, the actions on users, and who may use them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from time_machine import Traveller

from latchkey.accounts.models import User
from latchkey.admin import roles as role_pages
from latchkey.admin.reauthentication import MAX_AGE_SECONDS
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import Role, Scope
from latchkey.authorization.roles import grant_role
from tests.authorization.members import claim, grant, role, said
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import USERS, Browser, run_action, save_user, shown_messages, user_page

Staff = Callable[..., Browser]
ROLES = "/admin/latchkey/role/"
CLERK = ("view_user", "change_user", "delete_user", "grant_role", "view_role")


def scope_ids(*names: str) -> list[int]:
    return [Scope.objects.get(name=name).pk for name in names]


def roles_of(person: Person) -> list[str]:
    return list(said(person.refresh().access_token).get("roles", []))


def act(browser: Browser, action: str, made: Role | None, *ids: int, **typed: Any) -> Any:
    return run_action(browser, USERS, action, *ids, **{"role": made.pk if made else None, **typed})


def test_admin_creates_changes_and_deletes_a_role_and_records_the_operator(admin: Browser) -> None:
    answer = admin.post(
        f"{ROLES}add/", {"name": "editor", "description": "Edits", "scopes": scope_ids("users:read")}, follow=True
    )
    assert shown_messages(answer) == ["The role editor is created."]
    made = Role.objects.get()
    page = f"{ROLES}{made.pk}/change/"
    admin.post(page, {"name": "other", "description": "Writes", "scopes": scope_ids("users:write")})
    made.refresh_from_db()
    assert (made.name, made.description) == ("editor", "Writes")
    assert list(made.scopes.values_list("name", flat=True)) == ["users:write"]
    assert "Are you sure" in admin.get(f"{ROLES}{made.pk}/delete/").text
    admin.post(f"{ROLES}{made.pk}/delete/", {"post": "yes"})
    assert not Role.objects.exists()
    boss = User.objects.get(email=SUPERUSER_EMAIL).pk
    events = AuditEvent.objects.filter(name__startswith="role.").order_by("id")
    assert [(event.name, event.actor_id, event.detail) for event in events] == [
        ("role.created", boss, "editor"),
        ("role.changed", boss, "editor"),
        ("role.deleted", boss, "editor"),
    ]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "Editor"}, "Write 1 to 64 lower-case letters"),
        ({"name": ""}, "This field is required."),
        ({"name": "taken"}, "already exists"),
        ({"name": "x", "description": "a\u202eb"}, "A description is one line"),
        ({"name": "x", "scopes": [0]}, "not one of the available choices"),
    ],
)
def test_admin_role_form_says_what_is_wrong(admin: Browser, typed: dict[str, Any], sentence: str) -> None:
    role("taken")
    answer = admin.post(f"{ROLES}add/", typed)
    assert answer.status_code == 200
    assert sentence in answer.text
    assert Role.objects.count() == 1


def test_admin_list_of_roles_is_searched_by_name_and_description_and_counts_members(
    admin: Browser, alice: Person
) -> None:
    grant(alice, "editor")
    Role.objects.create(name="viewer", description="Reads the magazine")
    for query, names in (("edit", ["editor"]), ("magazine", ["viewer"]), ("", ["editor", "viewer"]), ("nope", [])):
        page = admin.get(ROLES, {"q": query})
        assert [found.name for found in page.context["cl"].result_list] == names
    assert re.search(r'data-label="members"[^>]*>\s*1\s*<', admin.get(ROLES, {"q": "editor"}).text)
    assert admin.get(ROLES, {"grants__user__password__startswith": "a"}).status_code in (302, 400)


def test_admin_counts_no_more_members_than_it_shows(
    admin: Browser, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant(alice, "editor")
    grant(bob, "editor")
    monkeypatch.setattr(role_pages, "MAX_COUNTED", 2)
    assert "2 or more" in admin.get(ROLES).text


def test_admin_deletes_no_role_of_more_members_than_a_request_can_take(
    admin: Browser, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant(alice, "editor")
    grant(bob, "editor")
    made = Role.objects.get()
    monkeypatch.setattr(role_pages, "MAX_DELETED", 1)
    answer = admin.post(f"{ROLES}{made.pk}/delete/", {"post": "yes"}, follow=True)
    assert "latchkey roles remove editor" in shown_messages(answer)[0]
    monkeypatch.setattr(role_pages, "MAX_DELETED", 2)
    assert "which 2 users have" in admin.get(f"{ROLES}{made.pk}/delete/").text
    admin.post(f"{ROLES}{made.pk}/delete/", {"post": "yes"})
    assert (roles_of(alice), roles_of(bob)) == ([], [])


def test_admin_staff_with_every_permission_sees_roles_and_changes_none(staff: Staff) -> None:
    made = role("editor")
    clerk = staff(*CLERK, "add_role", "change_role", "delete_role")
    assert clerk.get(ROLES).status_code == clerk.get(f"{ROLES}{made.pk}/change/").status_code == 200
    assert (
        clerk.post(f"{ROLES}{made.pk}/change/", {"description": "x", "scopes": scope_ids("users:write")}).status_code
        == 403
    )
    for page in (f"{ROLES}add/", f"{ROLES}{made.pk}/delete/"):
        assert clerk.post(page, {"name": "x", "post": "yes"}).status_code == 403
    made.refresh_from_db()
    assert (made.description, made.scopes.count(), Role.objects.count()) == ("", 0, 1)


def test_admin_staff_without_view_role_do_not_see_roles(staff: Staff) -> None:
    assert staff("view_user").get(ROLES).status_code == 403


def test_admin_grants_and_revokes_a_role_in_bulk_on_a_page_that_names_whom(
    admin: Browser, alice: Person, bob: Person
) -> None:
    made = role("editor")
    page = act(admin, "grant_role", None, alice.id, bob.id, post=None)
    assert "Grant a role to these 2 users?" in page.text
    assert alice.email in page.text
    assert 'value="" selected' in page.text  # nothing is chosen beforehand
    assert "This field is required." in act(admin, "grant_role", None, alice.id, bob.id).text
    done = act(admin, "grant_role", made, alice.id, bob.id)
    assert shown_messages(done) == ["Granted editor: 2 of 2 selected users."]
    assert (roles_of(alice), roles_of(bob)) == (["editor"], ["editor"])
    done = act(admin, "revoke_role", made, alice.id, bob.id)
    assert shown_messages(done) == ["Revoked editor: 2 of 2 selected users."]
    assert (roles_of(alice), roles_of(bob)) == ([], [])
    boss = User.objects.get(email=SUPERUSER_EMAIL).pk
    event = AuditEvent.objects.filter(name="role.granted").earliest("id")
    assert (event.actor_id, event.user_id, event.detail, event.ip) == (boss, alice.id, "editor", "127.0.0.1")


def test_admin_buttons_on_the_page_of_a_user_offer_what_can_be_changed(admin: Browser, alice: Person) -> None:
    held, other = role("editor"), role("viewer")
    grant_role([alice.id], held, COMMAND_LINE)
    offered = {
        action: [
            choice for choice, _ in act(admin, action, None, alice.id, post=None).context["form"]["role"].field.choices
        ]
        for action in ("grant_role", "revoke_role")
    }
    assert offered == {"grant_role": ["", other.pk], "revoke_role": ["", held.pk]}
    answer = act(admin, "grant_role", other, alice.id, back="1")
    assert answer.redirect_chain == [(user_page(alice.id), 302)]
    answer = act(admin, "grant_role", other, alice.id, back="1")
    assert shown_messages(answer) == ["There is no role that you can grant here."]
    assert answer.redirect_chain == [(user_page(alice.id), 302)]
    assert roles_of(alice) == ["editor", "viewer"]


def test_admin_says_that_the_names_of_roles_would_be_too_long(admin: Browser, alice: Person) -> None:
    grant(alice, *(f"{number:x}".ljust(64, "z") for number in range(15)))
    answer = act(admin, "grant_role", role("f".ljust(16, "z")), alice.id)
    assert "at most 1,024 characters" in shown_messages(answer)[0]
    assert len(roles_of(alice)) == 15


def test_admin_staff_with_the_permission_grant_roles_without_scopes_alone(alice: Person, staff: Staff) -> None:
    plain, mighty = role("editor"), role("operator", "users:write")
    clerk = staff(*CLERK)
    act(clerk, "grant_role", mighty, alice.id)
    assert roles_of(alice) == []
    assert "operator" not in act(clerk, "grant_role", None, alice.id, post=None).text
    act(clerk, "grant_role", plain, alice.id)
    assert roles_of(alice) == ["editor"]
    act(clerk, "revoke_role", plain, alice.id)
    assert roles_of(alice) == []


def test_admin_staff_without_the_permission_change_no_role_and_no_claims(alice: Person, staff: Staff) -> None:
    made = role("editor")
    clerk = staff("view_user", "change_user")
    act(clerk, "grant_role", made, alice.id)
    assert clerk.post(user_page(alice.id, "claims"), {"claims": '{"a": 1}'}).status_code == 403
    page = clerk.get(user_page(alice.id)).text
    assert "Grant a role" not in page
    assert "Change claims" not in page
    assert "No roles." in page
    assert said(alice.refresh().access_token) == {}


def test_admin_staff_do_not_change_roles_and_claims_of_staff(alice: Person, staff: Staff) -> None:
    clerk, made = staff(*CLERK), role("editor")
    User.objects.filter(pk=alice.id).update(is_staff=True)
    boss = User.objects.create_superuser("boss@example.com", PASSWORD)
    for user_id in (alice.id, boss.pk):
        answer = act(clerk, "grant_role", made, user_id)
        assert shown_messages(answer) == ["Granted editor: 0 of 1 selected users."]
        assert clerk.post(user_page(user_id, "claims"), {"claims": '{"a": 1}'}).status_code == 403
    assert not User.objects.exclude(token_claims="").exists()


def test_admin_staff_do_not_change_a_user_with_scopes_that_they_lack(alice: Person, staff: Staff) -> None:
    """Whoever could set the password of such a user would have the scopes."""
    grant_role([alice.id], role("operator", "users:write"), COMMAND_LINE)
    clerk = staff(*CLERK)
    save_user(clerk, alice.id, username="Taken over")
    assert clerk.get(user_page(alice.id, "password")).status_code == 403
    assert clerk.get(user_page(alice.id, "delete")).status_code == 403
    run_action(clerk, USERS, "deactivate_users", alice.id)
    act(clerk, "revoke_role", Role.objects.get(), alice.id)
    assert alice.me().json()["username"] == ""
    assert roles_of(alice) == ["operator"]
    own = User.objects.get(email="clerk@example.com")
    grant_role([own.pk], Role.objects.get(), COMMAND_LINE)
    save_user(clerk, alice.id, username="Alice")
    assert alice.me().json()["username"] == "Alice"


def test_admin_changes_claims_as_json_and_says_what_is_wrong(admin: Browser, alice: Person) -> None:
    page = user_page(alice.id, "claims")
    answer = admin.post(page, {"claims": '{"department": "sales"}'}, follow=True)
    assert shown_messages(answer) == ["The custom claims are stored."]
    assert answer.redirect_chain == [(user_page(alice.id), 302)]
    assert "department" in answer.text
    for typed, sentence in (("{", "This is no JSON object"), ("[]", "a JSON object"), ('{"a": 1e300}', "Numbers")):
        answer = admin.post(page, {"claims": typed})
        assert sentence in answer.text, typed
        assert said(alice.refresh().access_token) == {"claims": {"department": "sales"}}
    event = AuditEvent.objects.get(name="claims.changed")
    assert (event.user_id, event.actor_id) == (alice.id, User.objects.get(email=SUPERUSER_EMAIL).pk)
    assert "sales" in admin.get(page).text
    admin.post(page, {"claims": ""})
    assert said(alice.refresh().access_token) == {}
    assert admin.get(user_page(2**40, "claims")).status_code == 404
    assert admin.get(user_page(0, "claims").replace("/0/", "/x/")).status_code == 404


@pytest.mark.ledger("DJ-ADM-3")
def test_admin_page_of_a_user_escapes_claims_and_descriptions(admin: Browser, alice: Person) -> None:
    claim(alice, {"a": "<script>alert(1)</script>"})
    Role.objects.create(name="editor", description="<b>bold</b>")
    grant(alice, "editor")
    for page in (user_page(alice.id), user_page(alice.id, "claims"), ROLES):
        text = admin.get(page).text
        assert "<script>alert" not in text
        assert "<b>bold" not in text


def test_admin_list_of_users_is_filtered_by_role(admin: Browser, alice: Person, bob: Person) -> None:
    grant(alice, "editor", "viewer")
    grant(bob, "viewer")
    everybody = {alice.email, bob.email, SUPERUSER_EMAIL}
    for query, expected in (("editor", {alice.email}), ("viewer", {alice.email, bob.email}), ("nope", set())):
        page = admin.get(f"{USERS}?role={query}", follow=True)
        assert {user.email for user in page.context["cl"].result_list} == expected
    assert {user.email for user in admin.get(USERS).context["cl"].result_list} == everybody


def test_admin_change_of_claims_asks_who_is_there(clock: Traveller, admin: Browser, alice: Person) -> None:
    clock.shift(timedelta(seconds=MAX_AGE_SECONDS))
    answer: Any = admin.post(user_page(alice.id, "claims"), {"claims": '{"a": 1}'})
    assert answer.status_code == 302
    assert "/admin/reauthenticate/" in answer.headers["Location"]
    assert User.objects.get(pk=alice.id).claims is None
