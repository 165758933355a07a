"""Roles of the tests, granted as operators do, and what access tokens say of them."""

from typing import Any

from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.custom_claims import set_claims
from latchkey.authorization.models import Role
from latchkey.authorization.roles import create_role, grant_role
from tests.people import Person
from tests.support.simultaneous import decode_claims


def role(name: str, *scopes: str) -> Role:
    """Return a new role."""
    return create_role(name, "", scopes, COMMAND_LINE)


def grant(person: Person, *names: str) -> None:
    """Grant these roles, which are created where they are missing."""
    for name in names:
        grant_role([person.id], Role.objects.filter(name=name).first() or role(name), COMMAND_LINE)


def claim(person: Person, claims: dict[str, Any]) -> None:
    set_claims(person.id, claims, COMMAND_LINE)


def said(access_token: str) -> dict[str, Any]:
    """Return what an access token says about authorization."""
    return {name: value for name, value in decode_claims(access_token).items() if name in ("roles", "claims", "scope")}
