"""Roles of users: create, delete, grant and revoke, each with an event. A change is in force at the next request.

Access tokens that were issued before say what they said for as long as they live; verify, introspection and our own
endpoints read the row.
"""

from collections.abc import Collection, Generator, Sequence

from django.db import IntegrityError, connection, transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record_by
from latchkey.authorization.models import DESCRIPTION_LENGTH, NAME, NAME_HINT, NAME_LENGTH, Role, Scope, UserRole
from latchkey.authorization.token_claims import lock_users, store_token_claims
from latchkey.db.statements import fetch_all

BATCH = 500
"""Users whose roles are changed in one transaction: SQLite has one writer."""

HOLD_ROLE = {
    "postgresql": "SELECT name FROM latchkey_role WHERE id = %(id)s FOR KEY SHARE",
    "sqlite": "SELECT name FROM latchkey_role WHERE id = %(id)s",
}


def create_role(name: str, description: str, scopes: Collection[str], operator: Operator) -> Role:
    """Create a role; raises ValueError with a sentence for a name that is malformed or taken, or an unknown scope."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name[:NAME_LENGTH]!r} is not a valid name for a role. {NAME_HINT}")
    check_description(description)
    found = _find_scopes(scopes)
    try:
        with transaction.atomic():
            role = Role.objects.create(name=name, description=description)
            role.scopes.set(found)
            record_by(operator, Event.ROLE_CREATED, detail=name)
    except IntegrityError as error:
        raise ValueError(f"There is a role {name!r} already.") from error
    return role


@transaction.atomic
def change_role(role: Role, description: str, scopes: Collection[str], operator: Operator) -> bool:
    """Store another description and other scopes of a role; return whether anything changed.

    Raises ValueError with a sentence for an unknown scope, a description that is too long, and a role that was deleted.
    """
    check_description(description)
    found = _find_scopes(scopes)
    stored = Role.objects.select_for_update(no_key=True).filter(pk=role.pk).first()
    if stored is None:
        raise ValueError(f"There is no role {role.name!r} any more.")
    if stored.description == description and set(stored.scopes.all()) == set(found):
        return False
    Role.objects.filter(pk=role.pk).update(description=description)
    stored.scopes.set(found)
    record_by(operator, Event.ROLE_CHANGED, detail=role.name)
    return True


def delete_role(role: Role, operator: Operator) -> Generator[int, None, None]:
    """Take a role away from all users, in batches, and delete it; yield the number of users of each batch.

    Each batch is in force at once. A deletion that was interrupted goes on when it is begun again. The role is deleted
    in a transaction that finds nobody who has it. Whoever was granted it meanwhile is one batch more: a transaction
    that holds the role and waits for users would be in a deadlock with one that grants it.
    """
    held = UserRole.objects.filter(role=role)
    while True:
        while user_ids := list(held.order_by("user_id").values_list("user_id", flat=True)[:BATCH]):
            yield revoke_role(user_ids, role, operator)
        with transaction.atomic():
            stored = Role.objects.select_for_update().filter(pk=role.pk).first()  # no grant is committed from here on
            if stored is None:
                return
            if not held.exists():
                stored.delete()
                record_by(operator, Event.ROLE_DELETED, detail=role.name)
                return


@transaction.atomic
def grant_role(user_ids: Collection[int], role: Role, operator: Operator) -> int:
    """Grant a role to these users, at most BATCH; return how many did not have it.

    Raises ValueError with a sentence, and changes nobody, where the roles of one would be too long for a token, and for
    a role that was deleted.
    """
    return _change(lock_users(user_ids), set(), {role.pk}, operator)


@transaction.atomic
def revoke_role(user_ids: Collection[int], role: Role, operator: Operator) -> int:
    """Revoke a role of these users, at most BATCH; return how many had it."""
    return _change(lock_users(user_ids), {role.pk}, set(), operator)


@transaction.atomic
def set_roles(user_id: int, names: Collection[str], operator: Operator) -> None:
    """Give a user these roles and no others; raises ValueError for an unknown role, or too many."""
    wanted = set(find_roles(names).values())
    users = lock_users([user_id])
    held = set(UserRole.objects.filter(user=user_id).values_list("role_id", flat=True))
    _change(users, held - wanted, wanted, operator)


def find_roles(names: Collection[str]) -> dict[str, int]:
    """Return the ids of roles by their names; raises ValueError for a name that no role has."""
    found = dict(Role.objects.filter(name__in=names).values_list("name", "pk"))
    if missing := sorted(set(names) - found.keys()):
        raise ValueError(f"There is no role {missing[0][:NAME_LENGTH]!r}.")
    return found


def hold_roles(role_ids: Collection[int]) -> dict[int, str]:
    """Return the names of roles, by their ids, that nobody deletes before the transaction of the caller has ended.

    Raises ValueError where one is deleted already. On PostgreSQL the lock is that of a foreign key, which others share.
    """
    statement = HOLD_ROLE[connection.vendor]
    found = {pk: str(rows[0][0]) for pk in sorted(role_ids) if (rows := fetch_all(statement, {"id": pk}))}
    if len(found) < len(role_ids):
        raise ValueError("There is no such role any more.")
    return found


def check_description(description: str) -> None:
    """Raise ValueError with a sentence for a description that is too long, or that has a control character."""
    if len(description) > DESCRIPTION_LENGTH:
        raise ValueError(f"A description has at most {DESCRIPTION_LENGTH} characters.")
    if not description.isprintable():
        raise ValueError("A description is one line of letters, digits and punctuation.")


def _change(users: Sequence[User], lost: set[int], gained: set[int], operator: Operator) -> int:
    """Change the roles of locked users, by the ids of roles; return how many users that changed."""
    held = UserRole.objects.filter(user__in=users)
    names = dict(held.filter(role__in=lost).values_list("role_id", "role__name")) | hold_roles(gained)
    before = set(held.values_list("user_id", "role_id"))
    revoked = [(user.pk, role) for user in users for role in sorted(lost) if (user.pk, role) in before]
    granted = [(user.pk, role) for user in users for role in sorted(gained) if (user.pk, role) not in before]
    changed = {user_id for user_id, _ in (*revoked, *granted)}
    if not changed:
        return 0
    held.filter(role__in=lost).delete()
    created_at = {user.pk: user.created_at for user in users}
    UserRole.objects.bulk_create(
        UserRole(user_id=user_id, role_id=role, user_created_at=created_at[user_id]) for user_id, role in granted
    )
    store_token_claims([user for user in users if user.pk in changed])
    for event, changes in ((Event.ROLE_REVOKED, revoked), (Event.ROLE_GRANTED, granted)):
        for user_id, role in changes:
            record_by(operator, event, user_id=user_id, detail=names[role])
    return len(changed)


def _find_scopes(names: Collection[str]) -> list[Scope]:
    found = list(Scope.objects.filter(name__in=names))
    if missing := sorted(set(names) - {scope.name for scope in found}):
        raise ValueError(f"There is no scope {missing[0][:NAME_LENGTH]!r}.")
    return found
