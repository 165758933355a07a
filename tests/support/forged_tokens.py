"""Access tokens as an attacker, or a careless neighbour, would make them: byte by byte, with any key."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt

from latchkey.tokens.access_token import access_token_keys
from tests.people import Person

OMITTED = ...
"""Stands for a claim or a header member that is left out."""


def encode_segment(part: bytes | str | dict[str, Any]) -> str:
    """Encode one segment; a dict as JSON, text and bytes as they are."""
    raw = json.dumps(part).encode() if isinstance(part, dict) else part.encode() if isinstance(part, str) else part
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(header: bytes | str | dict[str, Any], payload: bytes | str | dict[str, Any], key: bytes | None = None) -> str:
    """Return a compact token with a right HMAC-SHA256 under this key, ours if none is given."""
    signed = f"{encode_segment(header)}.{encode_segment(payload)}"
    return f"{signed}.{encode_segment(hmac.digest(key or access_token_keys()[0], signed.encode(), hashlib.sha256))}"


def header_and_claims(person: Person) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is in a person's access token."""
    token = jwt.decode_complete(person.access_token, options={"verify_signature": False})
    return token["header"], token["payload"]


def forge(person: Person, header: dict[str, Any] | None = None, key: bytes | None = None, **claims: Any) -> str:
    """Return a person's token with some claims and header members changed, signed anew."""
    members, kept = header_and_claims(person)
    parts = [members | (header or {}), kept | claims]
    return sign(*({name: value for name, value in part.items() if value is not OMITTED} for part in parts), key=key)
