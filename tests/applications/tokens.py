"""Access tokens of applications, signed as the token endpoint does, and whether this service accepts them."""

from datetime import timedelta

from latchkey.bearer_tokens.validation import validate
from latchkey.core import clock
from latchkey.core.exceptions import InvalidToken
from latchkey.tokens.access_token import AUDIENCE, issue_for_client


def issue(client_id: str, *scopes: str) -> str:
    return issue_for_client(client_id, scopes, [AUDIENCE], clock.now(), timedelta(minutes=5))


def is_accepted(token: str) -> bool:
    """Return whether verify, introspection and our own endpoints would accept a token: they all call `validate`."""
    try:
        validate(token)
    except InvalidToken:
        return False
    return True


def scopes_of(token: str) -> set[str]:
    return set(validate(token).scopes)
