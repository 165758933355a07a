"""HTTP connections of one process: a client of httpx for threads, and one for each event loop.

Connections are kept and reused, but never across a fork or between event loops, where they would break.
"""

import asyncio
import os
import threading
from weakref import WeakKeyDictionary

import httpx


class Connections:
    """Clients of httpx that are created when they are first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._client: httpx.Client | None = None
        self._async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()

    def client(self) -> httpx.Client:
        """Return the client of this process."""
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                # The client of a parent process is dropped, not closed, which would end its TLS connections there.
                self._client, self._pid = httpx.Client(), os.getpid()
            return self._client

    def async_client(self) -> httpx.AsyncClient:
        """Return the client of the running event loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if loop not in self._async_clients:
                self._async_clients[loop] = httpx.AsyncClient()
            return self._async_clients[loop]

    def close(self) -> None:
        """Close the connections of threads."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        with self._lock:
            client = self._async_clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
