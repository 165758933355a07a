"""Introspection: validation of access tokens and API keys by a request to Latchkey (RFC 7662), with a short cache.

A sign-out, a role that was taken away and a revoked API key count as soon as the cached response is older than
`cache_seconds`.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Self

import httpx

from latchkey_client.bearer import Clock, TokenVerifier, check_form
from latchkey_client.claims import PERSON_AUDIENCE, Claims, build_claims
from latchkey_client.connections import Connections
from latchkey_client.credential import Credential, read_answer
from latchkey_client.errors import InvalidToken, LatchkeyUnavailable

CACHE_SECONDS = 1.0
"""Lifetime of a cached response. One page view sends several requests with one token within a second; a sign-out is
noticed a second later at most, which is less than it takes to open another page."""

CACHE_SIZE = 10_000
"""Cached responses at most; the least recently used one is dropped."""


class Introspection(TokenVerifier):
    """Validates tokens by asking Latchkey. Create one when the application starts; share it freely.

    url: where this service reaches Latchkey. client_id with client_secret or private_key: see Credential; issuer is
    LATCHKEY_PUBLIC_URL, for private_key, if url is another. audience: the resource that this service is registered as,
    which the tokens of applications have to name. cache_seconds: 0 asks for each request. timeout: seconds.
    """

    def __init__(  # noqa: PLR0913  # a client credential and limits
        self,
        url: str,
        client_id: str,
        client_secret: str = "",
        *,
        private_key: Any = None,
        key_id: str = "",
        algorithm: str = "EdDSA",
        issuer: str = "",
        audience: str = PERSON_AUDIENCE,
        cache_seconds: float = CACHE_SECONDS,
        cache_size: int = CACHE_SIZE,
        timeout: float = 2.0,
        clock: Clock = time,
    ) -> None:
        self._url = f"{url.rstrip('/')}/oauth/introspect/"
        named = (issuer or url).rstrip("/")
        self._credential = Credential(
            client_id,
            client_secret,
            private_key=private_key,
            key_id=key_id,
            algorithm=algorithm,
            audience=named,
            clock=clock,
        )
        self.audience, self.clock, self._timeout = audience, clock, timeout
        self._cache = _Cache(cache_seconds, cache_size, clock)
        self._connections = Connections()

    def authenticate(self, token: str) -> Claims:
        """Return the claims of any active access token or API key.

        Raises InvalidToken, LatchkeyUnavailable, or OAuthError if the credential of this service is refused.
        """
        return self._read(self.introspect(token))

    async def aauthenticate(self, token: str) -> Claims:
        """Do the same without blocking the event loop."""
        return self._read(await self.aintrospect(token))

    def introspect(self, token: str) -> Mapping[str, Any]:
        """Return the introspection response, with all its members (RFC 7662 section 2.2); raises as authenticate does.

        `active` is true for refresh tokens, too, and for tokens of another audience: `authenticate` refuses both.
        """
        if (known := self._cache.get(check_form(token))) is not None:
            return known
        began = self.clock.monotonic()
        try:
            answer = self._connections.client().send(self._request(token))
        except httpx.HTTPError as error:
            raise LatchkeyUnavailable from error
        return self._cache.put(token, read_answer(answer), began)

    async def aintrospect(self, token: str) -> Mapping[str, Any]:
        """Do the same without blocking the event loop."""
        if (known := self._cache.get(check_form(token))) is not None:
            return known
        began = self.clock.monotonic()
        try:
            answer = await self._connections.async_client().send(self._request(token))
        except httpx.HTTPError as error:
            raise LatchkeyUnavailable from error
        return self._cache.put(token, read_answer(answer), began)

    def close(self) -> None:
        """Close the connections that threads have used; at the end of the program that is not needed."""
        self._connections.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop, before it ends."""
        await self._connections.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def _request(self, token: str) -> httpx.Request:
        return self._credential.build_request(self._url, {"token": token}, self._timeout)

    def _read(self, response: Mapping[str, Any]) -> Claims:
        if response.get("active") is not True or response.get("token_type") != "Bearer":
            raise InvalidToken
        return build_claims(response, self.audience)


class _Cache:
    """Responses by the SHA-256 of their token, so that a dump of the memory contains no token."""

    def __init__(self, seconds: float, size: int, clock: Clock) -> None:
        self._seconds, self._size, self._clock = seconds, size, clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, tuple[float, dict[str, Any]]] = OrderedDict()

    def get(self, token: str) -> dict[str, Any] | None:
        """Return the response for a token; None if it is unknown, too old, or the token has expired since."""
        if self._seconds <= 0:
            return None
        name = hashlib.sha256(token.encode()).digest()
        with self._lock:
            until, response = self._entries.get(name, (0.0, {}))
            expires_at = response.get("exp", float("inf"))
            if not response or self._clock.monotonic() >= until or self._clock.time() >= expires_at:
                self._entries.pop(name, None)
                return None
            self._entries.move_to_end(name)
            return response

    def put(self, token: str, response: dict[str, Any], began: float) -> dict[str, Any]:
        """Keep a response, from the start of its request on (monotonic seconds), and return it."""
        if self._seconds > 0:
            with self._lock:
                name = hashlib.sha256(token.encode()).digest()
                self._entries[name] = (began + self._seconds, response)
                self._entries.move_to_end(name)
                while len(self._entries) > self._size:
                    self._entries.popitem(last=False)
        return response
