"""Bearer tokens of each kind, with the roles and scopes that a test needs, made by the use cases and the tables."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from latchkey.api_keys import api_key
from latchkey.api_keys.models import ApiKey
from latchkey.applications.models import Application
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Role, Scope
from latchkey.authorization.roles import create_role, grant_role
from latchkey.core import clock
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import AUDIENCE, issue_for_client
from tests.people import Person


def add_scopes(names: Iterable[str]) -> list[Scope]:
    """Return the scopes with these names; those that are missing are created."""
    return [Scope.objects.get_or_create(name=name, defaults={"description": name})[0] for name in names]


def add_role(person: Person, name: str, *scopes: str) -> Role:
    """Grant a person a role with these scopes, which are created with it if they are missing."""
    add_scopes(scopes)
    role = Role.objects.filter(name=name).first() or create_role(name, "", scopes, COMMAND_LINE)
    grant_role([person.id], role, COMMAND_LINE)
    return role


def add_application(client_id: str, *scopes: str) -> Application:
    """Create an application of kind service with these scopes."""
    application = Application.objects.create(client_id=client_id)
    application.scopes.set(add_scopes(scopes))
    return application


def application_token(
    client_id: str, *scopes: str, audience: Sequence[str] = (AUDIENCE,), at: datetime | None = None
) -> str:
    """Return an access token of an application, as the token endpoint issues it."""
    now = at or clock.now()
    return issue_for_client(client_id, scopes, audience, now, timedelta(seconds=30), signing_key(now))


def person_key(person: Person, *scopes: str, expires_at: datetime | None = None) -> str:
    """Return an API key of a person."""
    key = api_key.generate(api_key.PERSON)
    ApiKey.objects.create(
        key_id=key.key_id,
        digest=key.digest,
        user_id=person.id,
        name="test",
        scopes=" ".join(scopes),
        expires_at=expires_at,
    )
    return key.key


def application_key(application: Application, *scopes: str) -> str:
    """Return an API key of an application."""
    key = api_key.generate(api_key.APPLICATION)
    ApiKey.objects.create(
        key_id=key.key_id, digest=key.digest, application=application, name="test", scopes=" ".join(scopes)
    )
    return key.key
