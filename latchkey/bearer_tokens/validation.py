"""Validation of a bearer token of any kind: an access token of a person or an application, or an API key.

Each takes one SELECT, so that a sign-out, a revoked key or a deactivated application takes effect at the next request.
"""

from latchkey.api_keys.api_key import looks_like_key
from latchkey.api_keys.verification import VerifiedKey, verify_key
from latchkey.applications.access import application_query
from latchkey.applications.access import finish as finish_application
from latchkey.bearer_tokens.principal import Principal
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.sessions import access_tokens
from latchkey.sessions.models import Session
from latchkey.signing_keys.key_set import find_key
from latchkey.tokens import access_token
from latchkey.tokens.access_token import AUDIENCE, AccessToken, ClientAccessToken
from latchkey.web.access import Caller


def validate(presented: str, client: ClientInfo | None = None, audience: str | None = AUDIENCE) -> Principal:
    """Return whom a bearer token belongs to; raises InvalidToken.

    audience is what the token of an application has to name (RFC 9068 section 4), None for any. client is where the
    request comes from: with it, made-up API keys are limited, and TooManyAttempts is raised over the limit.
    """
    if looks_like_key(presented):
        return principal_of_key(verify_key(presented, client))
    now = clock.now()
    token = access_token.verify_any(presented, now, find_key)
    if isinstance(token, AccessToken):
        query = Session.objects.session_user_query(token.session_id, now)
        user = access_tokens.finish(token, query.fetch())
        return Principal(Caller.PERSON, user, token=token)
    return principal_of_client(token, application_query(token).fetch(), audience)


def principal_of_client(
    token: ClientAccessToken, rows: list[tuple[object, ...]], audience: str | None = AUDIENCE
) -> Principal:
    """Return the application of a verified token, out of the row of its statement; raises InvalidToken."""
    if audience is not None and audience not in token.audience:
        raise InvalidToken
    access = finish_application(token, rows)
    return Principal(Caller.APPLICATION, client_id=access.client_id, token=token, granted=access.scopes)


def principal_of_key(key: VerifiedKey) -> Principal:
    """Return the owner of an API key."""
    caller = Caller.PERSON_KEY if key.user else Caller.APPLICATION_KEY
    return Principal(caller, key.user, key.client_id, key=key, granted=key.scopes)
