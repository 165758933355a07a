"""What stands between the socket and Django: a request is whole, bounded and in time before it costs a thread.

One that a single statement answers needs no thread at all, on PostgreSQL
(docs/decisions/0015-one-statement-on-the-event-loop.md).
"""

import asyncio
from contextlib import closing, nullcontext
from functools import partial
from threading import Thread
from time import perf_counter
from typing import Any

import structlog
from django.db import connection

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import client_of
from latchkey.core.exceptions import Refusal, ServerError, Unavailable
from latchkey.db.async_pool import Lines
from latchkey.db.prepared import prepares
from latchkey.hashing.executor import LEAVING, PATHS, QUEUE, SLOTS
from latchkey.metrics_server.shared_directory import Watch
from latchkey.server.request_body import whole_body
from latchkey.server.wsgi_environ import environ_of
from latchkey.telemetry.tracing import Traced
from latchkey.telemetry.worker_pool import Pool
from latchkey.web.fast_path.handler import Answer

COURIER_SECONDS = 25  # for the mail in hand when the worker stops, out of the 30 that it has
HASHING = {"POST": PATHS, "DELETE": LEAVING}

log = structlog.get_logger(__name__)


class Front:
    """One worker's RSGI application. Django runs in its threads, and each keeps a connection to the database."""

    def __init__(self, threads: int, watch: Watch) -> None:
        from latchkey.wsgi import application  # noqa: PLC0415 - late: the main process, which migrates, has none

        self.application: Any = application
        from latchkey.mail.worker import Courier  # noqa: PLC0415 - late, as above: models need Django set up

        self.watch, self.courier = watch, Courier()
        self.lines: Lines | None = None
        self.usual, self.hashing = Pool(threads), Pool(SLOTS)
        for pool in (self.usual, self.hashing):
            for place in range(len(pool.busy)):
                Thread(target=self.work, args=(pool, place), daemon=True).start()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        from latchkey.metrics_server.start import be_watched  # noqa: PLC0415
        from latchkey.sessions.sql import of_the_loop  # noqa: PLC0415 - late, as above: models need Django set up
        from latchkey.web.fast_path.application import ShortWay  # noqa: PLC0415

        if isinstance(self.application, ShortWay) and prepares(connection) and not connection.queries_logged:
            self.lines = Lines(of_the_loop(), loop)
        be_watched(self.watch, {"requests": self.usual, "passwords": self.hashing}, loop)
        self.courier.thread.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if isinstance(self.application, Traced):
            self.application.end()  # sends the last spans
        self.courier.end(COURIER_SECONDS)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request; a refusal needs no database, and so waits for none of the threads."""
        done = asyncio.get_running_loop().create_future()
        try:
            body = await whole_body(scope, protocol)
            environ = environ_of(scope, body) | {"latchkey.arrived": perf_counter()}
            answer = await self.soon(environ)
            if answer is None:
                self.pool_for(scope, environ).asked.put((environ, done))
                answer = await done
        except Refusal as refusal:
            answer = await asyncio.to_thread(self.answer, environ_of(scope, b"") | {"latchkey.refusal": refusal})
        protocol.response_bytes(*answer)

    async def soon(self, environ: dict[str, Any]) -> Answer | None:
        """Answer without a thread, None where that cannot be."""
        if self.lines is None:
            return None
        try:
            answer: Answer | None = await self.application.soon(environ, self.lines)
        except Exception:  # a mistake of ours: the threads may know better
            log.exception("request_failed")
            return None
        return answer

    def pool_for(self, scope: Any, environ: dict[str, Any]) -> Pool:
        """Return where the request waits for a thread; raise Unavailable where too many passwords wait already."""
        if scope.path.rstrip("/") not in HASHING.get(scope.method, ()):
            return self.usual
        if self.hashing.asked.qsize() >= QUEUE:
            record(Event.ATTEMPT_TURNED_AWAY, client_of(environ))
            raise Unavailable
        return self.hashing

    def work(self, pool: Pool, place: int) -> None:
        """Answer one request after another, for as long as the process lives."""
        while True:
            environ, done = pool.asked.get()
            pool.busy[place] = True
            try:
                told = partial(done.set_result, self.answer(environ))
            except Exception:  # out of a stream or a signal; what a view raises never gets here
                log.exception("request_failed")
                told = partial(done.set_exception, ServerError())
            done.get_loop().call_soon_threadsafe(told)
            pool.busy[place] = False

    def answer(self, environ: dict[str, Any]) -> Answer:
        """Have the application answer, or refuse; streams are small here, and sent in one piece like the rest."""
        begun: list[Any] = []
        parts = self.application(environ, lambda status, headers: begun.extend((status, headers)))
        with closing(parts) if hasattr(parts, "close") else nullcontext():  # PEP 3333
            return int(begun[0][:3]), begun[1], b"".join(parts)
