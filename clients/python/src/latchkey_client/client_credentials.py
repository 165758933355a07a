"""Client credentials grant (RFC 6749 section 4.4): an access token of this service, replaced before it expires.

However many threads and tasks ask, one request is under way at a time. If it fails, the old token is used for as long
as it is valid.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import httpx

from latchkey_client.bearer import Clock
from latchkey_client.credential import Credential, read_answer
from latchkey_client.errors import LatchkeyUnavailable, OAuthError
from latchkey_client.single_flight import SingleFlight

REFRESH_FRACTION = 0.2
"""Part of a token's lifetime that is left when a new one is requested in the background: 60 of 300 s."""

EXPIRY_MARGIN_SECONDS = 2.0
"""Seconds before expiry from which on a token is not used: a request takes time to arrive."""

RETRY_SECONDS = 1.0
"""Time between two requests at least, after one that failed; Latchkey's Retry-After makes it longer."""

log = logging.getLogger("latchkey_client")


@dataclass(frozen=True, slots=True)
class _Token:
    """An access token, and when to replace it and to stop using it (monotonic seconds)."""

    text: str
    refresh_at: float
    ends_at: float


class ClientCredentials:
    """Access tokens of this service for others. Create one for each scope and resource; share it freely.

    url: where this service reaches Latchkey. client_id with client_secret or private_key: see Credential; issuer is
    LATCHKEY_PUBLIC_URL, for private_key, if url is another. scope: separated by spaces; all that the application has
    if left out. resource: the service that the token is for, or several (RFC 8707). timeout: seconds.
    """

    def __init__(  # noqa: PLR0913  # a client credential and what is asked for
        self,
        url: str,
        client_id: str,
        client_secret: str = "",
        *,
        private_key: Any = None,
        key_id: str = "",
        algorithm: str = "EdDSA",
        issuer: str = "",
        scope: str = "",
        resource: str | Sequence[str] = (),
        timeout: float = 5.0,
        clock: Clock = time,
    ) -> None:
        self._url, named = f"{url.rstrip('/')}/oauth/token/", (issuer or url).rstrip("/")
        self._credential = Credential(
            client_id,
            client_secret,
            private_key=private_key,
            key_id=key_id,
            algorithm=algorithm,
            audience=named,
            clock=clock,
        )
        resources = [resource] if isinstance(resource, str) else list(resource)
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._resources = {"resource": resources} if resources else {}
        self._timeout, self._clock = timeout, clock
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._retry_at = float("-inf")
        self._error: LatchkeyUnavailable | OAuthError | None = None
        self._flight = SingleFlight(self._request)

    def token(self) -> str:
        """Return an access token that is valid for some seconds; waits only if there is none.

        Raises LatchkeyUnavailable, or OAuthError if Latchkey refuses the credential, the scope or the resource.
        """
        token, running = self._current()
        if token is not None:
            return token
        try:
            return running.result(self._timeout * 2)
        except TimeoutError as error:
            raise LatchkeyUnavailable from error

    async def atoken(self) -> str:
        """Do the same without blocking the event loop."""
        token, running = self._current()
        if token is not None:
            return token
        try:
            return await asyncio.wait_for(asyncio.wrap_future(running), self._timeout * 2)
        except TimeoutError as error:
            raise LatchkeyUnavailable from error

    def invalidate(self, token: str) -> None:
        """Stop using a token that was refused with 401 `invalid_token`; another one that came since is kept."""
        with self._lock:
            if self._token is not None and self._token.text == token:
                self._token = None

    def _current(self) -> tuple[str | None, "Future[str]"]:
        """Return the token in use, or None and a request that is under way; raises the error of the last request."""
        with self._lock:
            now = self._clock.monotonic()
            token = self._token if self._token and now < self._token.ends_at else None
            may_request = now >= self._retry_at
            if token is not None:
                if now >= token.refresh_at and may_request:
                    self._start_in_background()
                return token.text, _DONE
            if self._flight.running is None and not may_request and self._error is not None:
                raise self._error.with_traceback(None)
            return None, self._flight.start()

    def _start_in_background(self) -> None:
        try:
            self._flight.start()
        except RuntimeError:  # no thread can be started now; the token is still valid
            log.warning("A new access token could not be requested")

    def _request(self) -> str:
        """Request a token and keep it (RFC 6749 section 4.4.2); raises what token raises."""
        began = self._clock.monotonic()
        try:
            with httpx.Client() as client:
                form = self._form | self._resources
                answer = read_answer(client.send(self._credential.build_request(self._url, form, self._timeout)))
            token = _parse_token(answer, began)
        except httpx.HTTPError as error:
            failure = LatchkeyUnavailable()
            self._keep_error(failure, failure.retry_after)
            raise failure from error
        except LatchkeyUnavailable as error:
            self._keep_error(error, error.retry_after)
            raise
        except OAuthError as error:
            self._keep_error(error, RETRY_SECONDS)
            raise
        with self._lock:
            self._token, self._error, self._retry_at = token, None, float("-inf")
        return token.text

    def _keep_error(self, error: LatchkeyUnavailable | OAuthError, wait: float) -> None:
        """Remember an error, and for how many seconds no other request is sent."""
        log.warning("No access token from %s: %s", self._url, error)
        with self._lock:
            self._error, self._retry_at = error, self._clock.monotonic() + max(wait, RETRY_SECONDS)


_DONE: "Future[str]" = Future()
"""Stands for the request that is not needed."""


def _parse_token(answer: dict[str, Any], began: float) -> _Token:
    """Return the token of a response (RFC 6749 section 5.1), whose lifetime began with its request at the latest."""
    text, lifetime = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(text, str) or type(lifetime) is not int or str(answer.get("token_type")).lower() != "bearer":
        raise OAuthError("invalid_response", "The token response has no bearer token, or no lifetime")
    ends_at = began + max(lifetime - EXPIRY_MARGIN_SECONDS, lifetime / 2)
    return _Token(text, min(began + lifetime * (1 - REFRESH_FRACTION), ends_at), ends_at)
