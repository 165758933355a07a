"""Refresh: exchange a refresh token for a new pair of tokens, in one SQL statement.

Refresh tokens rotate. Concurrent requests with one token never fork a session, and refresh token reuse ends it
(RFC 9700 section 4.14.2).

presented token is                            outcome                              statements
------------------------------------------    ---------------------------------    ----------
the current one                               rotated                              1
the successor of the stored one (fail-over)   rotated                              1
the one just rotated, with the same key       the same new refresh token again     2
the one just rotated, in the retry window     the same new refresh token again     2
of no live session                            401                                  2
one of many that were never issued            429                                  2
any other token of a live session             reuse: the session ends, 401         3

The key is the Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header), by which a client proves that it
repeats its own request, however late. Without it only time tells a retry from a theft, so that the window is short.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DatabaseError

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import Policy, current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidRefreshToken
from latchkey.db.outages import record_outage, unanswered_time
from latchkey.db.statements import Query
from latchkey.rate_limits.in_memory import count_invalid_token
from latchkey.sessions.models import Session
from latchkey.sessions.sql import DELETE_BY_ID, RotationValues
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import AccessTokenSpec, Key, TokenPair, issue_pair
from latchkey.tokens.authentication_methods import Authentication
from latchkey.tokens.refresh_token import (
    digest,
    refresh_token_keys,
    retry_digest,
    selector,
    successor,
    was_never_issued,
)

MAX_SKEW = timedelta(minutes=1)
"""How far in the future a rotation may be, by the clock of this node, and still be answered as a retry: clocks of nodes
differ. A clock that was set back by more must not keep the retry window open until it has caught up."""


class Rotation(NamedTuple):
    """A rotation in progress: the token presented, its successor, the keys of both, and what to issue."""

    presented: UUID
    successor: UUID
    keys: tuple[bytes, ...]
    policy: Policy
    token_spec: AccessTokenSpec
    idempotency_key: str


class Digests(NamedTuple):
    """Digests of what a client presented, under every key (32 bytes each): token's successor, and Idempotency-Key."""

    successors: Sequence[bytes]
    retries: Sequence[bytes] = ()


class StaleToken(StrEnum):
    """What a refresh token is that no session has as its current one."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    RETRY = "retry"
    REUSE = "reuse"


def refresh(presented: UUID, client: ClientInfo, idempotency_key: str = "") -> TokenPair:
    """Rotate a refresh token and return a new pair of tokens.

    idempotency_key is 16 to 64 printable characters that the client repeats in a retry, or empty.
    Raises InvalidRefreshToken, alike for every reason; TooManyAttempts where a client sends tokens that were never
    issued; and ServiceUnavailable, before anything is written, where no key can sign.
    """
    now = clock.now()
    rotation, query = prepare(presented, now, current_policy(), signing_key(now), idempotency_key)
    try:
        rows = query.fetch()
    except DatabaseError:
        record_outage(now)
        raise
    return finish(rotation, rows, client)


def prepare(
    presented: UUID, now: datetime, policy: Policy, key: Key | None, idempotency_key: str = ""
) -> tuple[Rotation, Query]:
    """Return the rotation and its statement; nothing is written yet."""
    keys, token_spec = refresh_token_keys(), AccessTokenSpec(now, policy.access_token_lifetime, key)
    rotation = Rotation(presented, successor(keys[0], presented), keys, policy, token_spec, idempotency_key)
    return rotation, _rotate_query(rotation, keys[0])


def finish(rotation: Rotation, rows: list[tuple[Any, ...]], client: ClientInfo) -> TokenPair:
    """Return the new pair; the statement has a row if the token was the current one of its session.

    Raises InvalidRefreshToken or TooManyAttempts.
    """
    for key in rotation.keys[1:]:  # none, except while the operator changes the secret key
        rows = rows or _rotate_query(rotation, key).fetch()
    if not rows:
        return _handle_stale_token(rotation, client)
    session_id, user_id, proof, authenticated_at, token_claims = rows[0]
    record(Event.SESSION_REFRESHED, client, user_id=user_id, session_id=session_id)
    authentication = Authentication(proof, authenticated_at)
    return issue_pair(session_id, user_id, rotation.successor, rotation.token_spec, authentication, token_claims)


def _rotate_query(rotation: Rotation, key: bytes) -> Query:
    """Return the statement that rotates the token if its digest is stored under this key."""
    presented, following, (newest, *_), policy, token_spec, idempotency_key = rotation
    current, next_ = digest(newest, following), digest(newest, successor(newest, following))
    retry = retry_digest(newest, presented, idempotency_key)
    values = RotationValues(selector(presented), digest(key, presented), current, next_, retry)
    return Session.objects.rotate_query(
        values, token_spec.issued_at, policy.refresh_token_lifetime, policy.session_lifetime_cap
    )


def classify(
    session: Session | None, presented: Digests, now: datetime, policy: Policy, unanswered: timedelta = timedelta(0)
) -> StaleToken:
    """Tell what a presented token is that is not the current one. A pure function: it reads no clock and no database.

    session is that of the token's selector, None without one. unanswered is the time since the rotation in which the
    database did not answer: the retry window stands still meanwhile. A window of zero disables it.

    The successor of the token just rotated is the current token of the session until it is used itself. From then on
    the token just rotated is an older generation, and a retry of it is reuse, with any key and in any window.
    """
    if session is None:
        return StaleToken.UNKNOWN
    if session.expires_at <= now or session.created_at <= now - policy.session_lifetime_cap:
        return StaleToken.EXPIRED
    if not session.user.is_active or session.credential_version != session.user.credential_version:
        return StaleToken.REVOKED
    just_rotated = any(compare_digest(session.digest, each) for each in presented.successors)
    is_proven = any(compare_digest(session.retry_digest, each) for each in presented.retries if each)
    elapsed = now - session.rotated_at
    in_window = bool(policy.retry_window) and -MAX_SKEW <= elapsed < policy.retry_window + unanswered
    return StaleToken.RETRY if just_rotated and (is_proven or in_window) else StaleToken.REUSE


def _handle_stale_token(rotation: Rotation, client: ClientInfo) -> TokenPair:
    """Answer a retry with the same new refresh token, writing nothing; reject any other token that is not current."""
    presented, _, keys, policy, token_spec, idempotency_key = rotation
    now = token_spec.issued_at
    session = Session.objects.select_related("user").filter(selector=selector(presented)).first()
    successors = {digest(key, successor(key, presented)): successor(key, presented) for key in keys}
    digests = Digests([*successors], [retry_digest(key, presented, idempotency_key) for key in keys])
    unanswered = unanswered_time(session.rotated_at, now) if session else timedelta(0)
    match classify(session, digests, now, policy, unanswered), session:
        case StaleToken.RETRY, Session():
            record(Event.SESSION_RETRIED, client, user_id=session.user_id, session_id=session.pk)
            successor_ = successors[bytes(session.digest)]
            claims = session.user.token_claims
            return issue_pair(session.pk, session.user_id, successor_, token_spec, session.authentication, claims)
        case StaleToken.REUSE, Session():
            Session.objects.delete_and_record(DELETE_BY_ID, {"id": session.pk}, Event.SESSION_REPLAYED, client)
        case StaleToken.UNKNOWN, _:
            if was_never_issued(keys, presented):
                count_invalid_token(client)
            record(Event.SESSION_REFUSED, client, reason="unknown")
        case reason, Session():
            record(Event.SESSION_REFUSED, client, reason=reason.value, user_id=session.user_id, session_id=session.pk)
    raise InvalidRefreshToken
