"""Roles: created, changed, granted, revoked and deleted, with an event for each change."""

import pytest

from latchkey.accounts.models import User
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.authorization import roles as use_cases
from latchkey.authorization.models import Role, UserRole
from latchkey.authorization.roles import (
    change_role,
    create_role,
    delete_role,
    grant_role,
    hold_roles,
    revoke_role,
    set_roles,
)
from latchkey.authorization.scopes import scopes_by_role
from latchkey.authorization.token_claims import roles_of
from tests.authorization.members import role

pytestmark = pytest.mark.django_db


def users(count: int) -> list[int]:
    made = User.objects.bulk_create(User(email=f"user.{number}@example.com") for number in range(count))
    return [user.pk for user in made]


def stored_roles(user_id: int) -> list[str]:
    """Return the roles of a user as the table has them, which the column for tokens has to repeat."""
    names = sorted(UserRole.objects.filter(user=user_id).values_list("role__name", flat=True))
    assert roles_of(User.objects.get(pk=user_id).token_claims) == names
    return names


def events() -> list[tuple[str, int | None, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("name", "user_id", "detail"))


@pytest.mark.parametrize("name", ["a", "0", "editor", "a.b:c-d_e", "x" * 64])
def test_role_names_are_scope_tokens_in_lower_case(name: str) -> None:
    assert create_role(name, "", [], COMMAND_LINE).name == name


@pytest.mark.parametrize("name", ["", "A", "-a", ".a", "a b", "a\n", "ä", "x" * 65, "a/b", "a,b", "a\0"])
def test_role_with_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid name for a role"):
        create_role(name, "", [], COMMAND_LINE)
    assert not Role.objects.exists()


@pytest.mark.parametrize("description", ["x" * 201, "a\nb", "a\0b", "\ud800"])
def test_description_that_cannot_be_shown_is_refused(description: str) -> None:
    with pytest.raises(ValueError, match="A description"):
        create_role("editor", description, [], COMMAND_LINE)
    with pytest.raises(ValueError, match="A description"):
        change_role(role("viewer"), description, [], COMMAND_LINE)


def test_second_role_of_a_name_and_an_unknown_scope_are_refused() -> None:
    made = role("editor", "users:read")
    with pytest.raises(ValueError, match="There is a role 'editor' already"):
        role("editor")
    for act in (lambda: role("viewer", "nope"), lambda: change_role(made, "", ["nope"], COMMAND_LINE)):
        with pytest.raises(ValueError, match="There is no scope 'nope'"):
            act()
    assert events() == [("role.created", None, "editor (command line)")]


def test_change_of_a_role_is_an_event_only_where_something_changes() -> None:
    made = role("editor", "users:read")
    assert not change_role(made, "", ["users:read"], COMMAND_LINE)
    assert change_role(made, "Edits", ["users:write"], COMMAND_LINE)
    assert scopes_by_role() == {"editor": {"users:write"}}
    assert [name for name, *_ in events()] == ["role.created", "role.changed"]
    list(delete_role(made, COMMAND_LINE))
    with pytest.raises(ValueError, match="There is no role 'editor' any more"):
        change_role(made, "", [], COMMAND_LINE)


def test_grant_and_revocation_change_each_user_once_and_record_it() -> None:
    made, ids = role("editor"), users(3)
    assert grant_role(ids[:2], made, COMMAND_LINE) == 2
    assert grant_role(ids, made, COMMAND_LINE) == 1
    assert [stored_roles(pk) for pk in ids] == [["editor"]] * 3
    assert revoke_role(ids[:1], made, COMMAND_LINE) == 1
    assert revoke_role(ids[:1], made, COMMAND_LINE) == 0
    assert [stored_roles(pk) for pk in ids] == [[], ["editor"], ["editor"]]
    detail = "editor (command line)"
    assert events()[1:] == [
        *(("role.granted", pk, detail) for pk in ids),
        ("role.revoked", ids[0], detail),
    ]


def test_grant_to_a_user_who_does_not_exist_changes_nobody() -> None:
    assert grant_role([2**62], role("editor"), COMMAND_LINE) == 0


def test_grant_of_a_deleted_role_is_refused() -> None:
    made, (user_id,) = role("editor"), users(1)
    list(delete_role(made, COMMAND_LINE))
    made.pk = 1
    with pytest.raises(ValueError, match="There is no such role any more"):
        grant_role([user_id], made, COMMAND_LINE)
    assert stored_roles(user_id) == []


def test_set_roles_revokes_all_others() -> None:
    (user_id,) = users(1)
    for name in ("a", "b", "c"):
        role(name)
    set_roles(user_id, ["a", "b"], COMMAND_LINE)
    set_roles(user_id, ["b", "c"], COMMAND_LINE)
    assert stored_roles(user_id) == ["b", "c"]
    with pytest.raises(ValueError, match="There is no role 'nope'"):
        set_roles(user_id, ["a", "nope"], COMMAND_LINE)
    assert stored_roles(user_id) == ["b", "c"]
    changes = [(name, detail.split()[0]) for name, user, detail in events() if user]
    assert changes == [
        *(("role.granted", "a"), ("role.granted", "b")),
        *(("role.revoked", "a"), ("role.granted", "c")),
    ]


def test_names_of_all_roles_have_at_most_1024_bytes_as_json() -> None:
    """15 names of 64 letters and one of 15 are 1,024 bytes of JSON with quotes, commas and brackets."""
    (user_id, other) = users(2)
    longest = [role(f"{number:x}".ljust(64, "z")).name for number in range(15)]
    set_roles(user_id, [*longest, role("f".ljust(15, "z")).name], COMMAND_LINE)
    assert len(User.objects.get(pk=user_id).token_claims) == len('{"roles":}') + 1_024
    one_more = role("g".ljust(16, "z"))
    with pytest.raises(ValueError, match="at most 1,024 characters"):
        set_roles(user_id, [*longest, one_more.name], COMMAND_LINE)
    with pytest.raises(ValueError, match="at most 1,024 characters"):
        grant_role([other, user_id], role("0"), COMMAND_LINE)
    assert stored_roles(other) == []
    assert len(stored_roles(user_id)) == 16


def test_deletion_of_a_role_with_1200_members_goes_on_where_it_was_interrupted() -> None:
    made, kept, ids = role("editor"), role("viewer"), users(1_200)
    for start in range(0, 1_200, use_cases.BATCH):
        batch = ids[start : start + use_cases.BATCH]
        assert grant_role(batch, made, COMMAND_LINE) == len(batch)
    grant_role(ids[:2], kept, COMMAND_LINE)
    deletion = delete_role(made, COMMAND_LINE)
    assert next(deletion) == 500
    deletion.close()  # as Ctrl-C does
    assert [stored_roles(pk) for pk in (ids[0], ids[499], ids[500])] == [["viewer"], [], ["editor"]]
    assert Role.objects.filter(name="editor").exists()
    assert list(delete_role(made, COMMAND_LINE)) == [500, 200]
    assert not Role.objects.filter(name="editor").exists()
    assert User.objects.exclude(token_claims="").count() == UserRole.objects.count() == 2
    assert AuditEvent.objects.filter(name="role.revoked").count() == 1_200
    assert [name for name, *_ in events()[-1:]] == ["role.deleted"]
    assert list(delete_role(made, COMMAND_LINE)) == []


def test_roles_are_held_by_their_ids_in_one_order() -> None:
    made = [role(name) for name in ("b", "a")]
    assert hold_roles([each.pk for each in made]) == {made[0].pk: "b", made[1].pk: "a"}
