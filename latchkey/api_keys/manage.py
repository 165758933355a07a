"""API keys of people and of applications: create, list and revoke.

A person needs a recent proof, because a key outlives the session that made it. The key itself is returned once, and
only its digest is stored. Each change is an event with the id of the key, and a person is told of a new key by mail.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import get_user
from latchkey.api_keys import api_key
from latchkey.api_keys.models import NAME_LENGTH, ApiKey
from latchkey.applications.models import Application
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record, record_by
from latchkey.authorization.scopes import format_scope, scopes_of_roles
from latchkey.authorization.token_claims import roles_of
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import EmailNotVerified, InvalidInput, InvalidToken, NotFound, ServiceUnavailable
from latchkey.factors.enrolment_rules import must_verify_address
from latchkey.factors.recent_proof import require_recent_proof
from latchkey.rate_limits.in_memory import count_invalid_token
from latchkey.tokens.authentication_methods import Authentication

MAX_KEYS = 50
"""Keys of one person or application, expired ones that are not deleted yet included."""

DEFAULT_DAYS, MAX_DAYS = 90, 3_650
"""Days until a new key expires: where nothing is said, and the highest number where API_KEY_MAX_AGE allows it."""

ATTEMPTS = 3
"""Ids of six characters are random; a new one is tried where another key has it, one time in 10,000 with 6,000,000."""


@dataclass(frozen=True, slots=True)
class KeySpec:
    """What a new key is to be: its name, its scopes, and the days until it expires, None for never."""

    name: str
    scopes: Collection[str]
    days: int | None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key: its row, and the key itself, which nothing shows again."""

    row: ApiKey
    key: str


def default_days() -> int:
    """Return the days until a key expires whose maker says nothing: 90, or less where the policy wants less."""
    return min(DEFAULT_DAYS, highest_days())


def highest_days() -> int:
    """Return the most days that a new key may live for, unless it never expires."""
    return current_policy().api_key_max_age or MAX_DAYS


def may_live_forever() -> bool:
    """Return whether a new key may have no expiry."""
    return not current_policy().api_key_max_age


def list_keys(user_id: int) -> Sequence[ApiKey]:
    """Return the keys of a person, the newest first; one SELECT. Expired ones are there until they are pruned."""
    return list(ApiKey.objects.filter(user=user_id))


def scopes_of(user: User) -> frozenset[str]:
    """Return the scopes that a person has through roles, and may give to a key; one SELECT, none without a role."""
    return scopes_of_roles(roles_of(user.token_claims))


def create_key(user_id: int, authentication: Authentication, spec: KeySpec, client: ClientInfo) -> CreatedKey:
    """Create a key of a person with some of the scopes that the person has now.

    Raises StepUpRequired, EmailNotVerified, InvalidInput, or InvalidToken where another change has ended the session
    meanwhile. A person must have verified the address, as for a second factor: the key of somebody who registered with
    a stranger's address would stay when the stranger takes the account over.
    """
    user = get_user(user_id)
    require_recent_proof(user, authentication)
    if must_verify_address(user):
        raise EmailNotVerified
    unchanged = User.objects.select_for_update(no_key=True).filter(
        pk=user.pk, is_active=True, credential_version=user.credential_version
    )
    with transaction.atomic():
        locked = unchanged.first()
        if locked is None:
            raise InvalidToken
        owned = ApiKey.objects.filter(user=user_id)
        made = _insert(api_key.PERSON, ApiKey(user=locked), spec, scopes_of(locked), owned)
        record(Event.API_KEY_CREATED, client, user_id=user_id, key_id=made.row.key_id)
    return made


@transaction.atomic
def create_application_key(client_id: str, spec: KeySpec, operator: Operator) -> CreatedKey:
    """Create a key of an application with some of its scopes; raises InvalidInput, and NotFound for an unknown one."""
    application = Application.objects.select_for_update(no_key=True).filter(client_id=client_id, is_active=True).first()
    if application is None:
        raise NotFound
    having = frozenset(application.scopes.values_list("name", flat=True))
    owned = ApiKey.objects.filter(application=application)
    made = _insert(api_key.APPLICATION, ApiKey(application=application), spec, having, owned)
    record_by(operator, Event.API_KEY_CREATED, detail=f"{made.row.key_id} {client_id}")
    return made


def revoke_key(user_id: int, authentication: Authentication, key_id: str, client: ClientInfo) -> None:
    """Revoke a key of a person; raises StepUpRequired, or NotFound. In force at the next request."""
    require_recent_proof(get_user(user_id), authentication)
    with transaction.atomic():
        if not ApiKey.objects.filter(user=user_id, key_id=key_id).delete()[0]:
            raise NotFound
        record(Event.API_KEY_REVOKED, client, user_id=user_id, key_id=key_id)


def revoke_presented(key: str, client: ClientInfo) -> None:
    """Revoke the key that its holder presents (RFC 7009 section 2.1); an unknown one is no error.

    Raises TooManyAttempts for made-up keys over the limit.
    """
    if api_key.is_well_formed(key):
        for row in ApiKey.objects.filter(digest=api_key.digest(key)).select_related("application"):
            with transaction.atomic():
                if ApiKey.objects.filter(pk=row.pk).delete()[0]:
                    client_id = row.application.client_id if row.application else ""
                    record(Event.API_KEY_REVOKED, client, user_id=row.user_id, key_id=row.key_id, client_id=client_id)
            return
    count_invalid_token(client, "api_key")


def revoke_keys(keys: QuerySet[ApiKey], operator: Operator) -> int:
    """Revoke these keys for an operator, and return how many there were."""
    with transaction.atomic():
        rows = list(keys.order_by("pk").select_related("application").select_for_update(of=("self",)))
        ApiKey.objects.filter(pk__in=[row.pk for row in rows]).delete()
        for row in rows:
            owner = f" {row.application.client_id}" if row.application else ""
            record_by(operator, Event.API_KEY_REVOKED, user_id=row.user_id, detail=f"{row.key_id}{owner}")
    return len(rows)


def revoke_own_keys(user_id: int, client: ClientInfo) -> int:
    """Revoke all keys of a person who takes the account over again, in the caller's transaction; return how many."""
    found = dict(ApiKey.objects.filter(user=user_id).order_by("pk").values_list("pk", "key_id"))
    if found:
        ApiKey.objects.filter(pk__in=found).delete()
    for key_id in found.values():
        record(Event.API_KEY_REVOKED, client, user_id=user_id, key_id=key_id)
    return len(found)


def _insert(kind: str, row: ApiKey, spec: KeySpec, allowed: frozenset[str], owned: QuerySet[ApiKey]) -> CreatedKey:
    """Insert a key for an owner whom the caller has locked; raises InvalidInput."""
    errors = {**_name_errors(spec.name), **_scope_errors(spec.scopes, allowed), **_expiry_errors(spec.days)}
    if errors:
        raise InvalidInput(errors)
    if owned.count() >= MAX_KEYS:
        raise InvalidInput({"body": [f"There are {MAX_KEYS} API keys already; revoke one first."]})
    row.name, row.scopes, row.created_at = spec.name.strip(), format_scope(set(spec.scopes)), clock.now()
    row.expires_at = None if spec.days is None else row.created_at + timedelta(days=spec.days)
    for _ in range(ATTEMPTS):
        row.key_id, key, row.digest = api_key.generate(kind)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            continue
        return CreatedKey(row, key)
    raise ServiceUnavailable


def _name_errors(name: str) -> dict[str, list[str]]:
    if not name.strip():
        return {"name": ["Give the key a name, by which you know it in the list."]}
    if len(name.strip()) > NAME_LENGTH:
        return {"name": [f"A name has at most {NAME_LENGTH} characters."]}
    return {} if name.strip().isprintable() else {"name": ["The name has a character that cannot be shown."]}


def _scope_errors(scopes: Iterable[str], allowed: frozenset[str]) -> dict[str, list[str]]:
    missing = sorted(set(scopes) - allowed)
    return {"scopes": [f"The owner of the key does not have the scope {missing[0]!r}."]} if missing else {}


def _expiry_errors(days: int | None) -> dict[str, list[str]]:
    highest = highest_days()
    if days is None:
        return {} if may_live_forever() else {"expires_in_days": [f"A key lives for at most {highest} days."]}
    return {} if 1 <= days <= highest else {"expires_in_days": [f"Write a number of days from 1 to {highest}."]}
