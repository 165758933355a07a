"""Claims about authorization in access tokens: `roles` (RFC 9068 section 2.2.3.1) and `claims`, the custom ones.

`User.token_claims` has them ready as JSON, so that a refresh reads one more column and joins nothing. It is written
with the roles and the claims, in the same transaction, by this module alone. An account without either has an empty
text there, and its tokens are as if there were no roles. Custom claims stand in one claim, so that no name of theirs
can replace `sub`, `exp` or `roles` (CVE-2024-29892).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import models

from latchkey.accounts.models import User
from latchkey.authorization.models import UserRole

MAX_CLAIMS_LENGTH = 1_024
"""Bytes of the custom claims of a user as JSON in a token, where other letters than ASCII take six bytes each."""

MAX_ROLES_LENGTH = 1_024
"""Bytes of the names of a user's roles in a token, which has to fit into a header: 16 of the longest."""


def encode(value: Any) -> str:
    """Return compact JSON in ASCII, as it stands in a token; raises ValueError for NaN and infinity."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def lock_users(user_ids: Collection[int]) -> list[User]:
    """Lock these users in the order of their ids, and return them; in the transaction of the caller.

    Two changes of one user's roles wait for each other, so that each finds the roles of the other.
    """
    return list(User.objects.filter(pk__in=user_ids).order_by("pk").select_for_update(no_key=True))


def store_token_claims(users: Sequence[User], **columns: Any) -> None:
    """Write `User.token_claims` anew, out of the roles and the claims of users that the caller has locked.

    `columns` are written, too. Users with the same text take one statement together. Raises ValueError with a sentence
    where the names of the roles of one are too long together.
    """
    names: dict[int, list[str]] = {user.pk: [] for user in users}
    for user_id, name in UserRole.objects.filter(user__in=names).values_list("user_id", "role__name"):
        names[user_id].append(name)
    users_by_text: dict[str, list[int]] = {}
    for user in users:
        user.token_claims = build_token_claims(names[user.pk], user.claims)
        users_by_text.setdefault(user.token_claims, []).append(user.pk)
    for text, ids in users_by_text.items():
        User.objects.filter(pk__in=ids).update(token_claims=text, **columns)


def build_token_claims(roles: Collection[str], claims: Mapping[str, Any] | None) -> str:
    """Return `User.token_claims` of a user with these roles and claims; raises ValueError with a sentence."""
    if roles and len(encode(sorted(roles))) > MAX_ROLES_LENGTH:
        raise ValueError(f"The names of all roles of a user have at most {MAX_ROLES_LENGTH:,} characters together.")
    found = ({"roles": sorted(roles)} if roles else {}) | ({"claims": claims} if claims else {})
    return encode(found) if found else ""


def roles_of(token_claims: str) -> list[str]:
    """Return the names of the roles in `User.token_claims`, sorted."""
    return list(json.loads(token_claims).get("roles", ())) if token_claims else []


def users_with_role(name: str) -> models.QuerySet[User]:
    """Return the users with a role, by its name."""
    return User.objects.filter(role_grants__role__name=name)
