"""Changes and deletion of a user by a back end: the use cases of the admin area, all of a request or none."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from latchkey.accounts.admin_actions import deactivate, reactivate
from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record_by
from latchkey.authorization.custom_claims import set_claims
from latchkey.authorization.roles import set_roles
from latchkey.authorization.token_claims import lock_users, roles_of
from latchkey.bearer_tokens.principal import Principal
from latchkey.core.exceptions import EmailTaken, NotFound
from latchkey.email_addresses.change import after_admin_change
from latchkey.email_addresses.verify import mark_unverified, mark_verified
from latchkey.profile.erasure import erase
from latchkey.users_api.create import invalid_as
from latchkey.users_api.targets import find_target, find_user, require_scopes_of


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change; None leaves a field as it is. email is normalized, claims and roles replace those there are."""

    email: str | None = None
    email_verified: bool | None = None
    username: str | None = None
    active: bool | None = None
    roles: Collection[str] | None = None
    claims: Mapping[str, Any] | None = None


@transaction.atomic
def change_user(user_id: int, changes: Changes, principal: Principal, operator: Operator) -> User:
    """Change a user and return it as it is now; a field that has the value already causes no event.

    Another address is unverified, unless the same request says that it is verified, and the former one gets a notice.
    Raises NotFound, PermissionDenied or InsufficientScope (targets.py), InvalidInput, EmailTaken, or LastSuperuser.
    """
    user = _lock_target(user_id, principal)
    if changes.email not in (None, user.email):
        _change_email(user, str(changes.email), operator)
    if changes.email_verified is not None:
        mark = mark_verified if changes.email_verified else mark_unverified
        mark([user_id], operator)
    if changes.username not in (None, user.username):
        user.set_display_name(str(changes.username))
        record_by(operator, Event.USER_DISPLAY_NAME_CHANGED, user_id=user_id)
    if changes.roles is not None:
        require_scopes_of(sorted(set(changes.roles) - set(roles_of(user.token_claims))), principal)
        invalid_as("roles", set_roles, user_id, changes.roles, operator)
    if changes.claims is not None:
        invalid_as("claims", set_claims, user_id, changes.claims, operator)
    if changes.active is not None:
        (reactivate if changes.active else deactivate)([user_id], operator)
    return find_user(user_id)


@transaction.atomic
def delete_user(user_id: int, principal: Principal, operator: Operator) -> None:
    """Erase a user, as the admin area does; raises NotFound, PermissionDenied, InsufficientScope or LastSuperuser."""
    if not erase(_lock_target(user_id, principal), operator):
        raise NotFound  # deleted a moment ago


def _lock_target(user_id: int, principal: Principal) -> User:
    """Return the user, locked, so that nobody can make it one whom the caller may not change."""
    lock_users([user_id])
    return find_target(user_id, principal)


def _change_email(user: User, email: str, operator: Operator) -> None:
    former, user.email = user.email, email
    try:
        with transaction.atomic():
            user.save(update_fields=["email"])
    except IntegrityError as error:
        raise EmailTaken from error
    after_admin_change(user, former, operator)
