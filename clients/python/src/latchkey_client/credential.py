"""Client credential of this service: how it authenticates to Latchkey (RFC 6749 section 2.3, RFC 7523 section 2.2)."""

import time
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

import httpx
import jwt

from latchkey_client.bearer import Clock
from latchkey_client.errors import LatchkeyUnavailable, OAuthError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
"""Lifetime of a client assertion. Each is for one request."""

_BACK_OFF_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


class Credential:
    """A client id with a secret or with a private key; exactly one of the two.

    private_key is a PEM text, or a key object of `cryptography`; key_id is the `kid` of the registered public key, and
    algorithm its `alg`: EdDSA, ES256, PS256 or RS256. audience is the issuer, LATCHKEY_PUBLIC_URL.
    """

    def __init__(  # noqa: PLR0913  # what a client credential consists of
        self,
        client_id: str,
        client_secret: str = "",
        *,
        private_key: Any = None,
        key_id: str = "",
        algorithm: str = "EdDSA",
        audience: str = "",
        clock: Clock = time,
    ) -> None:
        if bool(client_secret) == (private_key is not None):
            raise ValueError("give either client_secret or private_key")
        if algorithm.startswith("HS") or algorithm == "none":
            raise ValueError("a client assertion is signed with a private key")
        self.client_id = client_id
        self._client_secret, self._private_key, self._clock = client_secret, private_key, clock
        self._algorithm, self._key_id, self._audience = algorithm, key_id, audience

    def __repr__(self) -> str:
        return f"Credential({self.client_id!r})"

    def build_request(self, url: str, form: dict[str, Any], timeout: float) -> httpx.Request:
        """Return a request with this form and the credential: HTTP Basic, or a client assertion."""
        headers, timeouts = {"Accept": "application/json"}, {"timeout": httpx.Timeout(timeout).as_dict()}
        if self._private_key is not None:
            form = form | {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._sign_assertion()}
        request = httpx.Request("POST", url, data=form, headers=headers, extensions=timeouts)
        if self._client_secret:
            name, secret = quote_plus(self.client_id), quote_plus(self._client_secret)  # RFC 6749 section 2.3.1
            request = next(httpx.BasicAuth(name, secret).auth_flow(request))
        return request

    def _sign_assertion(self) -> str:
        now = int(self._clock.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self._audience,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        headers = {"kid": self._key_id} if self._key_id else None
        return jwt.encode(claims, self._private_key, self._algorithm, headers)


def read_answer(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer; raises OAuthError (RFC 6749 section 5.2) or LatchkeyUnavailable."""
    try:
        body: Any = answer.json()
    except ValueError:
        body = None
    if answer.status_code == 200 and isinstance(body, dict):
        return body
    if answer.status_code in _BACK_OFF_STATUSES or not isinstance(body, dict) or "error" not in body:
        retry_after = answer.headers.get("Retry-After", "")
        raise LatchkeyUnavailable(retry_after=int(retry_after) if retry_after.isdecimal() else 1)
    raise OAuthError(str(body["error"]), str(body.get("error_description", "")))
