"""Cached JWKS (RFC 7517): the public keys of a Latchkey, fetched in the background before they are needed.

A key is published 10 minutes before it signs, and a copy may be cached for 5 minutes. Keys are therefore fetched again
after 4 minutes: even out of a cache that is 5 minutes old they are known a minute before they sign. An unknown key id
(`kid`) makes the keys be fetched early, once a minute at most, however many made-up ids are sent.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from latchkey_client.bearer import Clock
from latchkey_client.errors import LatchkeyUnavailable
from latchkey_client.single_flight import SingleFlight

ALGORITHMS = ("EdDSA", "ES256", "RS256")
"""Algorithms of Latchkey's key pairs. HS256 is none of them: its key could sign, so nobody but Latchkey may have it."""

REFRESH_SECONDS = 240.0
"""Age of the keys after which they are fetched again, in the background."""

FETCH_INTERVAL_SECONDS = 60.0
"""Time between two fetches at least, whatever is asked for."""

FIRST_FETCH_INTERVAL_SECONDS = 1.0
"""Time between two attempts while there are no keys yet, and nothing can be verified."""

_NO_KEYS = "The public keys of the sign-in service cannot be fetched"
_KEY_TYPES = {"EdDSA": "OKP", "ES256": "EC", "RS256": "RSA"}

log = logging.getLogger("latchkey_client")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key and the one algorithm that it is used with (RFC 8725 section 3.1)."""

    algorithm: str
    key: Any


class KeySet:
    """The public keys at a JWKS URL. Use one for a process: `shared_key_set` returns it."""

    def __init__(self, url: str, clock: Clock = time, timeout: float = 2.0) -> None:
        self.url, self._clock, self._timeout = url, clock, timeout
        self._lock = threading.Lock()
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched_at: float | None = None
        self._next_fetch = float("-inf")
        self._is_failing = False
        self._pid = os.getpid()
        self._fetch = SingleFlight(self._load)

    def find(self, kid: str) -> PublicKey | None:
        """Return the key with this id, None if there is none; waits for a fetch only if the key is unknown.

        Raises LatchkeyUnavailable if the key is unknown and the keys cannot be fetched.
        """
        running = self._fetch_if_due(kid)
        if kid not in self._keys and running is not None:
            try:
                running.result(self._timeout * 2)
            except TimeoutError as error:
                raise LatchkeyUnavailable(_NO_KEYS) from error
        return self._known(kid)

    async def afind(self, kid: str) -> PublicKey | None:
        """Do the same without blocking the event loop."""
        running = self._fetch_if_due(kid)
        if kid not in self._keys and running is not None:
            try:
                await asyncio.wait_for(asyncio.wrap_future(running), self._timeout * 2)
            except TimeoutError as error:
                raise LatchkeyUnavailable(_NO_KEYS) from error
        return self._known(kid)

    def _known(self, kid: str) -> PublicKey | None:
        found = self._keys.get(kid)
        if found is None and (self._is_failing or not self._keys):
            raise LatchkeyUnavailable(_NO_KEYS)
        return found

    def _fetch_if_due(self, kid: str) -> "Future[None] | None":
        """Return the fetch that is under way or is started now, None if none is."""
        with self._lock:
            if self._pid != os.getpid():  # a fetch of the parent process tells this one nothing
                self._pid, self._next_fetch = os.getpid(), float("-inf")
            now = self._clock.monotonic()
            is_stale = self._fetched_at is None or now - self._fetched_at >= REFRESH_SECONDS
            is_due = (is_stale or kid not in self._keys) and now >= self._next_fetch
            if is_due:
                self._next_fetch = now + (FETCH_INTERVAL_SECONDS if self._keys else FIRST_FETCH_INTERVAL_SECONDS)
            try:
                return self._fetch.start() if is_due else self._fetch.running
            except RuntimeError:  # no thread can be started now
                return None

    def _load(self) -> None:
        """Fetch the keys and replace those that are known; after an error, which is logged, the old keys stay."""
        began = self._clock.monotonic()
        try:
            # A client for each fetch: one in minutes, and no connection that a fork could share.
            with httpx.Client(timeout=self._timeout) as client:
                answer = client.get(self.url, headers={"Cache-Control": "no-cache"}).raise_for_status()
            keys = parse_keys(answer.json())
        except (httpx.HTTPError, ValueError) as error:
            self._is_failing = True
            log.warning("The JWKS at %s cannot be fetched: %s", self.url, type(error).__name__)
            return
        if not keys:
            log.error("%s has no public keys. Set LATCHKEY_SIGNING_ALGORITHM to EdDSA, ES256 or RS256.", self.url)
        with self._lock:
            self._keys, self._fetched_at, self._is_failing = keys, began, False
            self._next_fetch = max(self._next_fetch, began + FETCH_INTERVAL_SECONDS)


def parse_keys(document: object) -> dict[str, PublicKey]:
    """Return the usable keys of a JWKS document by `kid`; those of another algorithm or use are left out.

    Raises ValueError for what is no key set (RFC 7517 section 5).
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no JSON Web Key Set")
    found = {}
    for jwk in listed:
        if not isinstance(jwk, dict) or not isinstance(kid := jwk.get("kid"), str):
            continue
        algorithm = jwk.get("alg")
        if algorithm not in ALGORITHMS or jwk.get("kty") != _KEY_TYPES[algorithm] or jwk.get("use", "sig") != "sig":
            continue
        try:
            found[kid] = PublicKey(algorithm, jwt.PyJWK(jwk, algorithm).key)
        except (jwt.PyJWTError, ValueError, LookupError, TypeError):
            log.warning("A key of the JWKS cannot be read and is left out.")
    return found


_shared: dict[tuple[str, Clock], KeySet] = {}
_shared_lock = threading.Lock()


def shared_key_set(url: str, clock: Clock = time) -> KeySet:
    """Return the one key set of this process for a JWKS URL, so that several verifiers share its fetches."""
    with _shared_lock:
        return _shared.setdefault((url, clock), KeySet(url, clock))
