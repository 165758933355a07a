"""Access tokens forged byte by byte, with any header, claims and key."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt

from latchkey.tokens.access_token import access_token_keys
from tests.people import Person

OMITTED: Any = ...
"""Placeholder for a claim or a header member to leave out."""


def encode_segment(part: bytes | str | dict[str, Any]) -> str:
    """Encode one segment of a token: a dict as JSON, text and bytes as they are."""
    raw = json.dumps(part).encode() if isinstance(part, dict) else part.encode() if isinstance(part, str) else part
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(header: bytes | str | dict[str, Any], payload: bytes | str | dict[str, Any], key: bytes | None = None) -> str:
    """Return a compact token with a valid HMAC-SHA256 signature of this key, by default the server's own."""
    signed = f"{encode_segment(header)}.{encode_segment(payload)}"
    return f"{signed}.{encode_segment(hmac.digest(key or access_token_keys()[0], signed.encode(), hashlib.sha256))}"


def header_and_claims(person: Person) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims of a person's access token."""
    token = jwt.decode_complete(person.access_token, options={"verify_signature": False})
    return token["header"], token["payload"]


def forge(person: Person, header: dict[str, Any] | None = None, key: bytes | None = None, **claims: Any) -> str:
    """Return a person's access token with some claims and header members changed, signed again."""
    members, payload = header_and_claims(person)
    parts = [members | (header or {}), payload | claims]
    given = [{name: value for name, value in part.items() if value is not OMITTED} for part in parts]
    return sign(given[0], given[1], key)
