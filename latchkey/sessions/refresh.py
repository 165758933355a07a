"""Trade a refresh token for the next one: one SQL statement, no forks, no honest user signed out.

presented token is                            outcome               statements
------------------------------------------    ------------------    ----------
the current one                               rotate                1
the successor of the stored one (fail-over)   rotate                1
the one just spent, within the retry window   the same pair again   2
of no live session                            401                   2
one of many that somebody makes up            429                   2
any other token of a live session             replay: end it, 401   3
"""

from datetime import datetime
from hmac import compare_digest
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import Policy, current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidRefreshToken
from latchkey.db.statements import Query
from latchkey.rate_limits.in_memory import count_invalid_token
from latchkey.sessions.models import Session
from latchkey.sessions.sql import DELETE_BY_ID, RotationValues
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import AccessTokenSpec, Key, TokenPair, issue_pair
from latchkey.tokens.refresh_token import digest, refresh_token_keys, selector, successor, was_never_issued


class Rotation(NamedTuple):
    """A refresh on its way: the token presented, the one that follows, the keys of both, and on what terms."""

    presented: UUID
    successor: UUID
    keys: tuple[bytes, ...]
    policy: Policy
    token_spec: AccessTokenSpec


def refresh(presented: UUID, client: ClientInfo) -> TokenPair:
    """Spend a refresh token and return a new pair.

    Raises InvalidRefreshToken, alike for every reason, or TooManyAttempts where a client makes tokens up; and
    Unavailable, having spent nothing, where no key can sign.
    """
    now = clock.now()
    spending, question = prepare(presented, now, current_policy(), signing_key(now))
    return finish(spending, question.fetch(), client)


def prepare(presented: UUID, now: datetime, policy: Policy, key: Key | None) -> tuple[Rotation, Query]:
    """Do what comes before the statement; nothing is spent yet."""
    keys, terms = refresh_token_keys(), AccessTokenSpec(now, policy.access_token_lifetime, key)
    spending = Rotation(presented, successor(keys[0], presented), keys, policy, terms)
    return spending, _rotate_query(spending, keys[0])


def finish(spending: Rotation, rows: list[tuple[Any, ...]], client: ClientInfo) -> TokenPair:
    """Do what comes after the statement, which has a row where the token was the current one of its session."""
    for key in spending.keys[1:]:  # none, except while the operator changes the secret key
        rows = rows or _rotate_query(spending, key).fetch()
    if not rows:
        return _handle_stale_token(spending, client)
    session_id, user_id = rows[0]
    record(Event.SESSION_REFRESHED, client, user_id=user_id, session_id=session_id)
    return issue_pair(session_id, user_id, spending.successor, spending.token_spec)


def _rotate_query(spending: Rotation, key: bytes) -> Query:
    """Return the statement that spends the token where its digest is stored under this key."""
    presented, secret, (newest, *_), policy, terms = spending
    spent, unspent = digest(newest, secret), digest(newest, successor(newest, secret))
    step = RotationValues(selector(presented), digest(key, presented), spent, unspent)
    return Session.objects.rotate_query(
        step, terms.issued_at, policy.refresh_token_lifetime, policy.session_lifetime_cap
    )


def _handle_stale_token(spending: Rotation, client: ClientInfo) -> TokenPair:
    """Answer the token that was just spent with its successor again, writing nothing; refuse any other.

    The window ends early, at the successor's first use: from then on the stored digest is another one. A clock
    that was set back makes it longer and signs nobody out; a window of zero stays shut.
    """
    presented, _, keys, policy, terms = spending
    now = terms.issued_at
    session = Session.objects.select_related("user").filter(selector=selector(presented)).first()
    if session is None:
        if was_never_issued(keys, presented):
            count_invalid_token(client)
        _reject("unknown", client)
    if session.expires_at <= now or session.created_at <= now - policy.session_lifetime_cap:
        _reject("expired", client, session)
    if not session.user.is_active or session.credential_version != session.user.credential_version:
        _reject("revoked", client, session)
    in_time = bool(policy.retry_window) and now - session.rotated_at < policy.retry_window
    for key in keys:
        secret = successor(key, presented)
        if in_time and compare_digest(session.digest, digest(key, secret)):
            record(Event.SESSION_RETRIED, client, user_id=session.user_id, session_id=session.pk)
            return issue_pair(session.pk, session.user_id, secret, terms)
    Session.objects.delete_and_record(
        DELETE_BY_ID, {"id": session.pk}, Event.SESSION_REPLAYED, client
    )  # whatever else happens to it
    raise InvalidRefreshToken


def _reject(reason: str, client: ClientInfo, session: Session | None = None) -> NoReturn:
    facts: dict[str, Any] = {"user_id": session.user_id, "session_id": session.pk} if session else {}
    record(Event.SESSION_REFUSED, client, reason=reason, **facts)
    raise InvalidRefreshToken
