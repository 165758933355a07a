"""Scopes: which ones exist, and which a person has through roles."""

from collections.abc import Collection, Iterable

from latchkey.authorization.models import Scope


def parse_scope(text: str) -> list[str]:
    """Return the scopes of a space-separated list (RFC 6749 section 3.3), sorted and each once."""
    return sorted(set(text.split()))


def format_scope(scopes: Iterable[str]) -> str:
    """Return scopes as a space-separated list, sorted."""
    return " ".join(sorted(scopes))


def existing_scopes(names: Collection[str]) -> set[str]:
    """Return those of the names that are scopes."""
    return set(Scope.objects.filter(name__in=names).values_list("name", flat=True))


def scopes_of_roles(roles: Collection[str]) -> frozenset[str]:
    """Return the scopes that people with these roles have: one statement, none without a role."""
    if not roles:
        return frozenset()
    return frozenset(Scope.objects.filter(roles__name__in=roles).values_list("name", flat=True).distinct())


def scopes_by_role() -> dict[str, frozenset[str]]:
    """Return the scopes of each role that has any, by the names of the roles: one statement."""
    found: dict[str, set[str]] = {}
    for role, scope in Scope.objects.filter(roles__isnull=False).values_list("roles__name", "name"):
        found.setdefault(role, set()).add(scope)
    return {role: frozenset(scopes) for role, scopes in found.items()}
