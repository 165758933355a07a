"""Every kind of proof that a request can have, for the table of permissions: tokens, keys, secrets and cookies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import httpx
import time_machine
from django.conf import settings

from latchkey.api_keys.manage import KeySpec, create_application_key
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import BUILT_IN_SCOPES
from tests.api_keys.requests import create as create_key
from tests.api_keys.requests import grant_scopes
from tests.oauth.applications import ORDERS, Service, add_service
from tests.people import Person
from tests.support.admin_pages import Browser

STALE = timedelta(minutes=11)
"""Age of an authentication that is too old for a change that needs a recent one."""


class Kind(StrEnum):
    """Kinds of proofs; the value is what a failing test says."""

    NONE = "no proof"
    MALFORMED = "malformed token"
    EXPIRED = "expired token"
    PERSON = "person without a role"
    PERSON_SCOPED = "person with a role that has the scopes"
    PERSON_STALE = "person with the role, who signed in long ago"
    PERSON_KEY = "API key of a person, without a scope"
    PERSON_KEY_SCOPED = "API key of a person, with the scopes"
    APPLICATION = "application without a scope"
    APPLICATION_SCOPED = "application with the scopes"
    OTHER_AUDIENCE = "application with the scopes, token for another audience"
    APPLICATION_KEY = "API key of an application, without a scope"
    APPLICATION_KEY_SCOPED = "API key of an application, with the scopes"
    CLIENT_SECRET = "client credential by HTTP Basic"
    STAFF_COOKIE = "cookie of a superuser in the admin area"


@dataclass(frozen=True)
class Means:
    """What a kind of proof is to the declarations: a caller of web/access.py, if it is one, and what it has."""

    caller: str = ""
    has_scopes: bool = False
    is_recent: bool = True


MEANS = {
    Kind.PERSON: Means("person"),
    Kind.PERSON_SCOPED: Means("person", has_scopes=True),
    Kind.PERSON_STALE: Means("person", has_scopes=True, is_recent=False),
    Kind.PERSON_KEY: Means("person_key"),
    Kind.PERSON_KEY_SCOPED: Means("person_key", has_scopes=True),
    Kind.APPLICATION: Means("application"),
    Kind.APPLICATION_SCOPED: Means("application", has_scopes=True),
    Kind.APPLICATION_KEY: Means("application_key"),
    Kind.APPLICATION_KEY_SCOPED: Means("application_key", has_scopes=True),
}
"""What the valid bearer tokens are; the others are none, or worth nothing."""

REFUSED_TOKENS = {Kind.MALFORMED, Kind.EXPIRED, Kind.OTHER_AUDIENCE}


def make_headers(kind: Kind, http: httpx.Client, clock: time_machine.Traveller, admin: Browser) -> dict[str, str]:
    """Return the headers of a request with this kind of proof; the clock goes on by STALE for some of them."""
    if kind is Kind.NONE:
        return {}
    if kind is Kind.MALFORMED:
        return bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.")
    if kind is Kind.STAFF_COOKIE:
        return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={admin.cookies[settings.SESSION_COOKIE_NAME].value}"}
    if kind in (Kind.APPLICATION, Kind.APPLICATION_SCOPED, Kind.OTHER_AUDIENCE, Kind.CLIENT_SECRET):
        return application_headers(kind, add_application(http, kind))
    if kind in (Kind.APPLICATION_KEY, Kind.APPLICATION_KEY_SCOPED):
        client_id = add_application(http, kind).client_id
        return bearer(create_application_key(client_id, KeySpec("Nightly", scopes_of(kind), 90), COMMAND_LINE).key)
    return person_headers(kind, http, clock)


def person_headers(kind: Kind, http: httpx.Client, clock: time_machine.Traveller) -> dict[str, str]:
    """Return the headers of a person or of a person's API key."""
    person = Person(http, "carol@example.com").register().login()
    if kind not in (Kind.PERSON, Kind.EXPIRED):
        grant_scopes(person, *BUILT_IN_SCOPES)
    if kind in (Kind.PERSON_KEY, Kind.PERSON_KEY_SCOPED):
        return bearer(create_key(person, *scopes_of(kind))["key"])
    if kind in (Kind.EXPIRED, Kind.PERSON_STALE):
        clock.shift(STALE)
    return person.bearer() if kind is not Kind.PERSON_STALE else person.refresh().bearer()


def scopes_of(kind: Kind) -> Sequence[str]:
    """Return the scopes of this kind of proof: all that our own endpoints ask for, or none."""
    return () if kind in MEANS and not MEANS[kind].has_scopes else (*BUILT_IN_SCOPES,)


def add_application(http: httpx.Client, kind: Kind) -> Service:
    resources = [ORDERS] if kind is Kind.OTHER_AUDIENCE else []
    return add_service(http, "backend", scopes_of(kind), resources)


def application_headers(kind: Kind, service: Service) -> dict[str, str]:
    """Return the headers with the access token or the secret of an application."""
    if kind is Kind.CLIENT_SECRET:
        credential = httpx.BasicAuth(service.client_id, service.secret)
        return {
            "Authorization": next(credential.sync_auth_flow(httpx.Request("GET", "http://x"))).headers["Authorization"]
        }
    return bearer(service.token())


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
