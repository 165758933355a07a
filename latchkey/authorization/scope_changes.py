"""Scopes: create and describe them, each with an event.

The list of scopes is closed: applications, roles and API keys have none that is not in it. Deletion is in
`api_keys/scope_deletion.py`, which knows all of the three.
"""

from collections.abc import Collection

from django.db import IntegrityError, transaction

from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record_by
from latchkey.authorization.models import DESCRIPTION_LENGTH, NAME, NAME_HINT, NAME_LENGTH, Scope


def check_scope_description(description: str) -> str:
    """Return the description of a scope without spaces around it; raises ValueError with a sentence.

    It is required: who gives a scope to somebody reads it and nothing else.
    """
    text = description.strip()
    if not text:
        raise ValueError("A scope needs a description, such as 'Read all orders.'.")
    if len(text) > DESCRIPTION_LENGTH:
        raise ValueError(f"A description has at most {DESCRIPTION_LENGTH} characters.")
    if not text.isprintable():
        raise ValueError("A description is one line of letters, digits and punctuation.")
    return text


def check_scope_name(name: str) -> str:
    """Return the name of a scope; raises ValueError with a sentence for another form."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name[:NAME_LENGTH]!r} is not a valid name for a scope. {NAME_HINT}")
    return name


def create_scope(name: str, description: str, operator: Operator) -> Scope:
    """Create a scope; raises ValueError with a sentence for a name that is malformed or taken, or no description."""
    check_scope_name(name)
    text = check_scope_description(description)
    try:
        with transaction.atomic():
            scope = Scope.objects.create(name=name, description=text)
            record_by(operator, Event.SCOPE_CREATED, detail=name)
    except IntegrityError as error:
        raise ValueError(f"There is a scope {name!r} already.") from error
    return scope


@transaction.atomic
def describe_scope(scope: Scope, description: str, operator: Operator) -> bool:
    """Store another description of a scope; return whether it changed. Raises ValueError with a sentence."""
    text = check_scope_description(description)
    if not Scope.objects.filter(pk=scope.pk).exclude(description=text).update(description=text):
        return False
    record_by(operator, Event.SCOPE_CHANGED, detail=scope.name)
    return True


def get_scope(name: str) -> Scope:
    """Return the scope with this name; raises ValueError with a sentence, which lists the names if they are few."""
    scope = Scope.objects.filter(name=name).first() if NAME.fullmatch(name) else None
    if scope is None:
        raise ValueError(unknown_scope(name))
    return scope


def hold_scopes(names: Collection[str]) -> list[Scope]:
    """Return the scopes with these names, which nobody deletes before the transaction of the caller has ended.

    Raises ValueError with a sentence for a name that no scope has.
    """
    wanted = {name for name in names if NAME.fullmatch(name)}
    found = list(Scope.objects.filter(name__in=wanted).order_by("pk").select_for_update(no_key=True))
    if missing := sorted(set(names) - {scope.name for scope in found}):
        raise ValueError(unknown_scope(missing[0]))
    return found


def unknown_scope(name: str) -> str:
    """Return the sentence about a scope that does not exist, with the names that do, if they are few."""
    names = list(Scope.objects.values_list("name", flat=True)[:11])
    known = f" Scopes: {', '.join(names)}." if 0 < len(names) < 11 else ""
    return f"There is no scope {name[:NAME_LENGTH]!r}.{known}"
