"""Credentials of applications: a client secret, or an assertion that is signed with the application's private key.

One SELECT checks the credential and says what the application is and may have, so that a change is in force at the next
request. A credential is not bound to an endpoint: token, introspection and revocation take the same ones.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeAlias

from django.conf import settings
from django.db import connection

from latchkey.applications.models import CLIENT_ID, hash_secret
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidClient
from latchkey.db.batches import BatchedStatement
from latchkey.db.statements import PreparedStatement, Query
from latchkey.rate_limits.in_memory import count_invalid_token
from latchkey.tokens import client_assertion

_COLUMNS = """COALESCE(a.kind, ''), COALESCE(CAST(a.resources AS text), '[]'), COALESCE((
       SELECT {names} FROM latchkey_application_scopes AS given JOIN latchkey_scope AS s ON s.id = given.scope_id
        WHERE given.application_id = a.id), '')"""
SELECT_BY_SECRET = f"""
SELECT {{number}}c.client_id, {_COLUMNS}
  FROM {{members}}latchkey_clientcredential AS c LEFT JOIN latchkey_application AS a ON a.client_id = c.client_id
 WHERE c.digest = %(digest)s AND c.client_id = %(client_id)s AND a.is_active IS NOT FALSE
"""  # noqa: S608 - columns of ours
SELECT_BY_ID = f"""
SELECT a.client_id, {_COLUMNS}, CAST(a.public_keys AS text)
  FROM latchkey_application AS a WHERE a.client_id = %(client_id)s AND a.is_active
"""  # noqa: S608 - as above
_NAMES = {"postgresql": "string_agg(s.name, ' ')", "sqlite": "group_concat(s.name, ' ')"}


class SecretCredential(NamedTuple):
    """A client id and a secret (client_secret_basic, client_secret_post)."""

    client_id: str
    secret: str


class AssertionCredential(NamedTuple):
    """A signed assertion (private_key_jwt); client_id is that of the request, or empty without one."""

    client_id: str
    assertion: str


Credential: TypeAlias = SecretCredential | AssertionCredential


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An authenticated application: `request.user` of the endpoints for applications.

    kind is empty for a secret without an application, which an older version of the service added during an upgrade:
    it may introspect, and gets no tokens. resources is the JSON array of the audiences that its tokens may name.
    """

    client_id: str
    kind: str
    resources: str
    scopes: frozenset[str]
    is_authenticated: ClassVar[bool] = True


class InvalidCredential(InvalidClient):
    """A credential that is wrong in a way that its sender may be told, with a sentence that says so."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__()


def authenticate(credential: Credential, client: ClientInfo) -> OAuthClient:
    """Return the application of a credential: one statement.

    Raises InvalidClient, or TooManyAttempts after 50 wrong credentials of an address in a minute.
    """
    if isinstance(credential, AssertionCredential):
        return _authenticate_by_assertion(credential, client)
    return finish_secret(secret_query(credential).fetch(), client)


@cache
def secret_statement() -> BatchedStatement:
    """Return SELECT_BY_SECRET, whose row has the columns of OAuthClient."""
    types = {"digest": "bytea", "client_id": "text"}
    return BatchedStatement("latchkey_client_secret", _select_by_secret, types, *[bytes.decode] * 4)


def _select_by_secret(members: str, number: str) -> str:
    return SELECT_BY_SECRET.format(names=_NAMES[connection.vendor], members=members, number=number)


@cache
def _application_statement() -> PreparedStatement:
    sql = SELECT_BY_ID.format(names=_NAMES[connection.vendor])
    return PreparedStatement("latchkey_client", sql, *[bytes.decode] * 5)


def secret_query(credential: SecretCredential) -> Query:
    """Return the statement of a secret; it has a row if the secret is that of an active application.

    An unknown client id and a wrong secret take the same work. The database looks up the digest by its index: the time
    of that may tell something about digests, but nothing about the secret.
    """
    client_id = credential.client_id if CLIENT_ID.fullmatch(credential.client_id) else ""
    return Query(secret_statement(), {"digest": hash_secret(credential.secret), "client_id": client_id})


def finish_secret(rows: list[tuple[Any, ...]], client: ClientInfo) -> OAuthClient:
    """Return the application of the row of `secret_query`; raises InvalidClient or TooManyAttempts without one."""
    return _client(rows[0]) if rows else refuse(client)


def refuse(client: ClientInfo, reason: str | None = None, sentence: str = "") -> NoReturn:
    """Record and count a wrong credential; raises InvalidClient, or TooManyAttempts.

    The client id is not logged: it may be a secret in the wrong place.
    """
    record(Event.SERVICE_REFUSED, client, reason=reason)
    count_invalid_token(client, "service")
    raise InvalidCredential(sentence) if sentence else InvalidClient


def _authenticate_by_assertion(credential: AssertionCredential, client: ClientInfo) -> OAuthClient:
    try:
        client_id = client_assertion.read_client_id(credential.assertion)
        if credential.client_id not in ("", client_id) or not CLIENT_ID.fullmatch(client_id):
            raise client_assertion.InvalidAssertion("client")
        rows = Query(_application_statement(), {"client_id": client_id}).fetch()
        if not rows:
            raise client_assertion.InvalidAssertion("client")
        client_assertion.verify_assertion(credential.assertion, client_id, rows[0][4], audiences(), clock.now())
    except client_assertion.InvalidAssertion as error:
        refuse(client, f"assertion {error.reason}", str(error) if error.is_signed else "")
    return _client(rows[0])


def audiences() -> Collection[str]:
    """Return what the `aud` of an assertion may be: the issuer, or the token endpoint (RFC 7523 section 3)."""
    url = settings.PUBLIC_URL
    return url, f"{url}/oauth/token/", f"{url}/oauth/token"


def _client(row: tuple[Any, ...]) -> OAuthClient:
    client_id, kind, resources, scopes = row[:4]
    return OAuthClient(client_id, kind, resources, frozenset(scopes.split()))
