"""Custom claims of a user: a small JSON object that operators and authorized applications set."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record_by
from latchkey.authorization.token_claims import MAX_CLAIMS_LENGTH, encode, lock_users, store_token_claims

MAX_DEPTH = 16
"""Arrays and objects in each other: parsers of other languages have limits of their own, some of 32."""

MAX_NUMBER = 2**53 - 1
"""Largest number that every JSON parser reads as it was written (RFC 8259 section 6)."""

MAX_TEXT_LENGTH = 4_096
"""Characters of typed claims, with spaces and line breaks."""

NOT_AN_OBJECT = "Custom claims are a JSON object."
NOT_JSON = "Custom claims are JSON: texts, numbers, true, false, null, arrays and objects."


def parse_claims(text: str) -> dict[str, Any]:
    """Return the custom claims in a text that somebody typed; raises ValueError with a sentence."""
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(f"Custom claims have at most {MAX_CLAIMS_LENGTH:,} bytes as JSON.")
    try:
        claims = json.loads(text, object_pairs_hook=_without_repetition)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" It is wrong near {_excerpt(error)!r}." if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f'This is no JSON object, such as {{"department": "sales"}}.{where}') from error
    return validate_claims(claims)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raises ValueError where a name stands in it twice (RFC 8259 section 4)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        repeated = next(name for at, (name, _) in enumerate(pairs) if name in dict(pairs[:at]))
        raise ValueError(f"The name {repeated[:40]!r} stands in one object twice.")
    return found


def _excerpt(error: json.JSONDecodeError) -> str:
    return error.doc[error.pos : error.pos + 20] or "the end"


def validate_claims(claims: object) -> dict[str, Any]:
    """Return custom claims as they are stored; raises ValueError with a sentence."""
    if not isinstance(claims, Mapping):
        raise ValueError(NOT_AN_OBJECT)
    _check_value(claims, MAX_DEPTH)
    length = len(encode(claims))
    if length > MAX_CLAIMS_LENGTH:
        raise ValueError(f"Custom claims have at most {MAX_CLAIMS_LENGTH:,} bytes as JSON; these have {length:,}.")
    return dict(claims)


def _check_value(value: object, depth: int) -> None:
    """Raise ValueError for what one of the databases, or a parser of JSON, would refuse or change.

    PostgreSQL stores numbers as decimals and writes 1e300 with all its digits, so that it would not fit any longer.
    """
    if depth < 0:
        raise ValueError(f"Custom claims have at most {MAX_DEPTH} arrays and objects in each other.")
    match value:
        case None | bool():
            pass
        case str():
            _check_text(value)
        case int() | float():
            if not -MAX_NUMBER <= value <= MAX_NUMBER or "e" in repr(value):
                raise ValueError("Numbers in custom claims are at most 2^53 - 1, and need no exponent. Use a text.")
        case list() | tuple():
            for each in value:
                _check_value(each, depth - 1)
        case Mapping():
            for name, each in value.items():
                if not isinstance(name, str):
                    raise ValueError(NOT_JSON)
                _check_text(name)
                _check_value(each, depth - 1)
        case _:
            raise ValueError(NOT_JSON)


def _check_text(text: str) -> None:
    """Raise ValueError for a text that a database cannot store."""
    if "\0" in text:
        raise ValueError("Custom claims have no NUL character.")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("Custom claims have no half of a surrogate pair.")


@transaction.atomic
def set_claims(user_id: int, claims: Mapping[str, Any], operator: Operator) -> bool:
    """Store the custom claims of a user, none if empty; return whether they changed. Raises ValueError."""
    valid = validate_claims(claims) or None
    for user in lock_users([user_id]):
        if _canonical(user.claims) == _canonical(valid):
            return False
        user.claims = valid
        store_token_claims([user], claims=valid)
        record_by(operator, Event.CLAIMS_CHANGED, user_id=user.pk)
        return True
    return False


def _canonical(claims: Mapping[str, Any] | None) -> str:
    """Return JSON to compare with: in Python, True equals 1, and 1.0 equals 1."""
    return json.dumps(claims, sort_keys=True)
