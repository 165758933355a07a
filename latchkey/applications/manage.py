"""Applications: create, change, deactivate and delete them, each with an event.

A change is in force at the next request: nothing about applications is cached. Access tokens of an application are
refused as soon as its row is inactive or gone, as it has lost the scope, or as they are older than `tokens_valid_from`.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from latchkey.applications.models import CLIENT_ID, Application, ClientCredential
from latchkey.applications.validation import check_client_id, check_name, check_resources, make_client_id
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record_by
from latchkey.authorization.scope_changes import hold_scopes
from latchkey.core import clock
from latchkey.tokens.public_keys import check_public_keys

SECOND = timedelta(seconds=1)
"""Precision of the time of issue in an access token."""


@dataclass(frozen=True, slots=True)
class Change:
    """New values of an application; None leaves a value as it is. public_keys is the array of a JSON Web Key Set."""

    name: str | None = None
    scopes: Collection[str] | None = None
    resources: Sequence[str] | None = None
    public_keys: Sequence[Any] | None = None


def get_application(client_id: str) -> Application:
    """Return the application with this client id; raises ValueError with a sentence."""
    return _find(Application.objects.all(), client_id)


def lock_application(client_id: str) -> Application:
    """Return an application that nobody else changes before the transaction of the caller has ended.

    Raises ValueError with a sentence.
    """
    return _find(Application.objects.select_for_update(no_key=True), client_id)


def _find(applications: QuerySet[Application], client_id: str) -> Application:
    found = applications.filter(client_id=client_id).first() if CLIENT_ID.fullmatch(client_id) else None
    if found is None:
        raise ValueError(f"There is no application {client_id[:64]!r}.")
    return found


def create_application(client_id: str, values: Change, operator: Operator) -> Application:
    """Create an application of kind service; without a client id it gets one.

    Raises ValueError with a sentence for a client id that is malformed or taken, and for any other wrong value.
    """
    return _insert(check_client_id(client_id or make_client_id()), values, operator)


@transaction.atomic
def ensure_application(client_id: str, operator: Operator) -> Application:
    """Return the application with this client id, locked; create it if there is none, for `latchkey services add`."""
    if not Application.objects.filter(client_id=client_id).exists():
        with suppress(ValueError):  # somebody else has just created it
            _insert(client_id, Change(name=client_id), operator)
    return lock_application(client_id)


def _insert(client_id: str, values: Change, operator: Operator) -> Application:
    """Create a row. Tokens of a deleted application with the same client id are older than this one's, and refused."""
    columns = {
        "name": check_name(values.name or ""),
        "resources": check_resources(values.resources or ()),
        "public_keys": check_public_keys(list(values.public_keys or ())),
    }
    now = clock.now()
    try:
        with transaction.atomic():
            scopes = hold_scopes(values.scopes or ())
            made = Application.objects.create(
                client_id=client_id, created_at=now, tokens_valid_from=now - SECOND, **columns
            )
            made.scopes.set(scopes)
            record_by(operator, Event.APPLICATION_CREATED, detail=client_id)
    except IntegrityError as error:
        raise ValueError(f"There is an application {client_id!r} already.") from error
    return made


@transaction.atomic
def change_application(client_id: str, values: Change, operator: Operator) -> list[str]:
    """Store new values of an application; return the names of those that changed.

    Its access tokens are refused from here on if it has lost its last public key. Raises ValueError with a sentence.
    """
    application, changed = lock_application(client_id), []
    wanted = {
        "name": None if values.name is None else check_name(values.name),
        "resources": None if values.resources is None else check_resources(values.resources),
        "public_keys": None if values.public_keys is None else check_public_keys(list(values.public_keys)),
    }
    lost_keys = bool(application.public_keys) and wanted["public_keys"] == []
    for name, value in wanted.items():
        if value is not None and value != getattr(application, name):
            setattr(application, name, value)
            changed.append(name)
    application.save(update_fields=changed)
    if values.scopes is not None:
        scopes = hold_scopes(values.scopes)
        if set(scopes) != set(application.scopes.all()):
            application.scopes.set(scopes)
            changed.append("scopes")
    if changed:
        record_change(application, ", ".join(changed).replace("_", " "), operator)
    if lost_keys:
        invalidate_tokens(application)
    return changed


@transaction.atomic
def deactivate_application(client_id: str, operator: Operator) -> bool:
    """Refuse secrets, keys and tokens of an application until it is reactivated; return whether it was active.

    The tokens that it has now are refused after that, too. Raises ValueError with a sentence.
    """
    application = lock_application(client_id)
    if not application.is_active:
        return False
    _set_active(application, False)
    invalidate_tokens(application)
    record_change(application, "deactivated", operator)
    return True


@transaction.atomic
def reactivate_application(client_id: str, operator: Operator) -> bool:
    """Accept the secrets and keys of an application again; return whether it was inactive. Raises ValueError."""
    application = lock_application(client_id)
    if application.is_active:
        return False
    _set_active(application, True)
    record_change(application, "reactivated", operator)
    return True


@transaction.atomic
def revoke_tokens(client_id: str, operator: Operator) -> None:
    """Refuse all access tokens that an application has now; it may get new ones. Raises ValueError with a sentence."""
    application = lock_application(client_id)
    invalidate_tokens(application)
    record_change(application, "tokens revoked", operator)


@transaction.atomic
def delete_application(client_id: str, operator: Operator) -> None:
    """Delete an application with its secrets and its API keys. Raises ValueError with a sentence."""
    application = lock_application(client_id)
    ClientCredential.objects.filter(client_id=client_id).delete()
    application.delete()
    record_by(operator, Event.APPLICATION_DELETED, detail=client_id)


def invalidate_tokens(application: Application) -> None:
    """Refuse the access tokens that were issued up to now, to the second; in the transaction of the caller.

    An application without any credential gets no more tokens. One that is being signed at this moment, by a process
    that has read the credential before it was removed, is refused, too.
    """
    has_credential = bool(application.public_keys) or has_secret(application.client_id)
    valid_from = clock.now() if has_credential else clock.now() + SECOND
    Application.objects.filter(pk=application.pk).update(tokens_valid_from=valid_from)


def has_secret(client_id: str) -> bool:
    """Return whether a client has a secret."""
    return ClientCredential.objects.filter(client_id=client_id).exists()


def record_change(application: Application, what: str, operator: Operator) -> None:
    """Record an event about an application: its client id, and what changed, never a value."""
    record_by(operator, Event.APPLICATION_CHANGED, detail=f"{application.client_id}: {what}")


def _set_active(application: Application, is_active: bool) -> None:
    Application.objects.filter(pk=application.pk).update(is_active=is_active)
