"""A TLS proxy for a PostgreSQL built without TLS: it answers SSLRequest, then starts TLS, as PostgreSQL does."""

import asyncio
import ssl
import struct
import threading
from contextlib import suppress
from typing import Self

SSL_REQUEST = struct.pack("!II", 8, 80877103)
"""The first message of a client that wants TLS (PostgreSQL's protocol, section 54.7)."""


class TlsProxy:
    """Listens on a loopback port and refuses clients without TLS, as a context manager."""

    def __init__(self, port: int, tls_context: ssl.SSLContext) -> None:
        self.upstream_port, self.tls_context, self.port = port, tls_context, 0
        self.encrypted = self.refused = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def change_certificate(self, identity: ssl.SSLContext) -> None:
        """Present another certificate from now on, and close all connections."""
        self.tls_context = identity
        asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result(10)

    async def _drop(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _close(self) -> None:
        self._server.close()
        await self._drop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(others, timeout=5) if others else None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if await reader.readexactly(8) != SSL_REQUEST:
                self.refused += 1
                return
            writer.write(b"S")
            await writer.start_tls(self.tls_context)
            self.encrypted += 1
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
            self._open.add(inner_writer)
            await asyncio.gather(self._copy(reader, inner_writer), self._copy(inner_reader, writer))
            self._open.discard(inner_writer)
        except (OSError, EOFError):  # a client that rejects the certificate closes the connection
            self.refused += 1
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
        target.transport.abort()
