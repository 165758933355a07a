"""Validation of access tokens of applications at this service: what an application may do at this moment.

One SELECT, so that a change takes effect at the next request: a deactivated or deleted application, a scope that it has
lost, tokens that were revoked together.
"""

from functools import cache
from typing import Any, NamedTuple

from django.db import connection

from latchkey.core.exceptions import InvalidToken
from latchkey.db.batches import BatchedStatement
from latchkey.db.statements import Query
from latchkey.tokens.access_token import ClientAccessToken

SELECT = """
SELECT {number}a.client_id, {valid_from}, COALESCE((
       SELECT {names} FROM latchkey_application_scopes AS given JOIN latchkey_scope AS s ON s.id = given.scope_id
        WHERE given.application_id = a.id), '')
  FROM {members}latchkey_application AS a WHERE a.client_id = %(client_id)s AND a.is_active
"""
_DIALECTS = {
    "postgresql": {
        "valid_from": "COALESCE(CAST(floor(extract(epoch FROM a.tokens_valid_from)) AS bigint) + 1, 0)",
        "names": "string_agg(s.name, ' ')",
    },
    "sqlite": {
        "valid_from": "COALESCE(CAST(strftime('%%s', a.tokens_valid_from) AS integer) + 1, 0)",
        "names": "group_concat(s.name, ' ')",
    },
}


class ClientAccess(NamedTuple):
    """An active application, and the scopes that its token has and that the application still has."""

    client_id: str
    scopes: frozenset[str]


@cache
def application_statement() -> BatchedStatement:
    """Return the SELECT of an active application: client id, Unix seconds of its oldest valid token, and scopes."""
    columns = bytes.decode, int, bytes.decode
    return BatchedStatement("latchkey_application", _select, {"client_id": "text"}, *columns)


def _select(members: str, number: str) -> str:
    return SELECT.format(members=members, number=number, **_DIALECTS[connection.vendor])


def application_query(token: ClientAccessToken) -> Query:
    """Return the statement of the application of a verified token; it has no row unless the application is active."""
    return Query(application_statement(), {"client_id": token.client_id})


def finish(token: ClientAccessToken, rows: list[tuple[Any, ...]]) -> ClientAccess:
    """Return what the application may do with this token; raises InvalidToken without a row or for a revoked token."""
    if not rows:
        raise InvalidToken
    client_id, valid_from, scopes = rows[0]
    if token.issued_at < valid_from:
        raise InvalidToken
    return ClientAccess(client_id, token.scopes & frozenset(scopes.split()))
