"""Client of Latchkey for Python services: validate access tokens, and get tokens by client credentials.

`Verifier` validates tokens locally with public keys, `Introspection` asks Latchkey. Both have `verify` for threads and
`averify` for event loops. Helpers for web frameworks: `latchkey_client.fastapi`, `.flask`, `.django` and
`.rest_framework`.
"""

from latchkey_client.bearer import Clock, TokenVerifier, read_token
from latchkey_client.claims import Claims
from latchkey_client.client_credentials import ClientCredentials
from latchkey_client.errors import (
    InsufficientScope,
    InvalidToken,
    LatchkeyError,
    LatchkeyUnavailable,
    MissingRole,
    MissingToken,
    OAuthError,
    SessionRequired,
    StepUpRequired,
)
from latchkey_client.httpx_auth import LatchkeyAuth
from latchkey_client.introspection import Introspection
from latchkey_client.requirement import Requirement
from latchkey_client.verifier import Verifier

__all__ = [
    "Claims",
    "ClientCredentials",
    "Clock",
    "InsufficientScope",
    "Introspection",
    "InvalidToken",
    "LatchkeyAuth",
    "LatchkeyError",
    "LatchkeyUnavailable",
    "MissingRole",
    "MissingToken",
    "OAuthError",
    "Requirement",
    "SessionRequired",
    "StepUpRequired",
    "TokenVerifier",
    "Verifier",
    "read_token",
]
