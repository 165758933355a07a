"""Target of a request to /api/users/<id>/: the user, if the caller may see or change this one.

The rules are those of the admin area, where a person of staff has the place of the caller.
"""

import re

from latchkey.accounts.models import User
from latchkey.authorization.scopes import scopes_of_roles
from latchkey.authorization.token_claims import roles_of
from latchkey.bearer_tokens.principal import Principal
from latchkey.core.exceptions import InsufficientScope, NotFound, PermissionDenied
from latchkey.factors.recent_proof import require_recent_proof
from latchkey.sessions.sql import SessionUser

MAX_ID = 2**63 - 1
ID = re.compile("0|[1-9][0-9]{0,18}")
"""Form of the id of a user in a path."""


def parse_user_id(text: str) -> int:
    """Return the id of a path as a number; raises NotFound for a text that is not the id of any user."""
    if not ID.fullmatch(text) or int(text) > MAX_ID:
        raise NotFound
    return int(text)


def require_step_up(principal: Principal) -> None:
    """Raise StepUpRequired for a person's session without a recent authentication (ASVS 7.5.1).

    Applications and API keys are not people who could be there: their secret is the proof, and nothing is asked again.
    """
    if isinstance(principal.user, SessionUser):
        caller = User.objects.filter(pk=principal.user.id).first()
        if caller is None:  # deleted a moment ago
            raise PermissionDenied("Your own account is changed at /api/me/ and its neighbours.")
        require_recent_proof(caller, principal.authentication)


def find_user(user_id: int) -> User:
    """Return the user with this id; raises NotFound."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user


def find_target(user_id: int, principal: Principal) -> User:
    """Return the user whom the caller wants to change.

    Raises NotFound; PermissionDenied for staff and superusers, who are changed in the admin area alone, and for the
    caller's own account, whose endpoints ask for the password or a step-up; InsufficientScope for a user who has a
    scope through a role that the caller lacks, since whoever can set a password can do what the account can.
    """
    user = find_user(user_id)
    if user.is_staff or user.is_superuser:
        raise PermissionDenied("Staff and superusers are changed in the admin area alone.")
    if principal.user is not None and principal.user.id == user.pk:
        raise PermissionDenied
    require_scopes_of(roles_of(user.token_claims), principal)
    return user


def require_scopes_of(roles: list[str], principal: Principal) -> None:
    """Raise InsufficientScope unless the caller has every scope of these roles: nobody gives more than it has."""
    missing = scopes_of_roles(roles) - principal.scopes
    if missing:
        raise InsufficientScope(" ".join(sorted(missing)))
