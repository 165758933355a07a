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
from latchkey.core.client import client_info
from latchkey.core.exceptions import ApiError, InternalServerError, ServiceUnavailable
from latchkey.db.async_pool import AsyncPool
from latchkey.db.statements import supports_prepared
from latchkey.hashing.executor import DELETE_PATHS, MAX_CONCURRENT, MAX_QUEUED, POST_PATHS
from latchkey.metrics_server.shared_directory import MetricsContext
from latchkey.server.request_body import read_body
from latchkey.server.wsgi_environ import build_environ
from latchkey.telemetry.tracing import TracingMiddleware
from latchkey.telemetry.worker_pool import ThreadPool
from latchkey.web.fast_path import ResponseTuple

MAIL_DRAIN_SECONDS = 25  # for the mail in hand when the worker stops, out of the 30 that it has
HASHING_ROUTES = {"POST": POST_PATHS, "DELETE": DELETE_PATHS}

log = structlog.get_logger(__name__)


class RsgiApplication:
    """One worker's RSGI application. Django runs in its threads, and each keeps a connection to the database."""

    def __init__(self, threads: int, metrics_context: MetricsContext) -> None:
        from latchkey.wsgi import application  # noqa: PLC0415 - late: the main process, which migrates, has none

        self.application: Any = application
        from latchkey.mail.worker import MailWorker  # noqa: PLC0415 - late, as above: models need Django set up

        self.metrics_context, self.mail_worker = metrics_context, MailWorker()
        self.async_pool: AsyncPool | None = None
        self.request_pool, self.hashing_pool = ThreadPool(threads), ThreadPool(MAX_CONCURRENT)
        for pool in (self.request_pool, self.hashing_pool):
            for place in range(len(pool.busy)):
                Thread(target=self.run_worker, args=(pool, place), daemon=True).start()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        from latchkey.metrics_server.start import start_metrics  # noqa: PLC0415
        from latchkey.sessions.sql import event_loop_statements  # noqa: PLC0415 - late, as above: models need Django set up
        from latchkey.web.fast_path import FastPath  # noqa: PLC0415

        if isinstance(self.application, FastPath) and supports_prepared(connection) and not connection.queries_logged:
            self.async_pool = AsyncPool(event_loop_statements(), loop)
        start_metrics(self.metrics_context, {"requests": self.request_pool, "passwords": self.hashing_pool}, loop)
        self.mail_worker.thread.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if isinstance(self.application, TracingMiddleware):
            self.application.shutdown()  # sends the last spans
        self.mail_worker.stop(MAIL_DRAIN_SECONDS)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request; a refusal needs no database, and so waits for none of the threads."""
        done = asyncio.get_running_loop().create_future()
        try:
            body = await read_body(scope, protocol)
            environ = build_environ(scope, body) | {"latchkey.arrived": perf_counter()}
            answer = await self.try_fast_path(environ)
            if answer is None:
                self.select_pool(scope, environ).queue.put((environ, done))
                answer = await done
        except ApiError as refusal:
            answer = await asyncio.to_thread(self.call_wsgi, build_environ(scope, b"") | {"latchkey.refusal": refusal})
        protocol.response_bytes(*answer)

    async def try_fast_path(self, environ: dict[str, Any]) -> ResponseTuple | None:
        """Answer without a thread, None where that cannot be."""
        if self.async_pool is None:
            return None
        try:
            answer: ResponseTuple | None = await self.application.soon(environ, self.async_pool)
        except Exception:  # a mistake of ours: the threads may know better
            log.exception("request_failed")
            return None
        return answer

    def select_pool(self, scope: Any, environ: dict[str, Any]) -> ThreadPool:
        """Return where the request waits for a thread; raise Unavailable where too many passwords wait already."""
        if scope.path.rstrip("/") not in HASHING_ROUTES.get(scope.method, ()):
            return self.request_pool
        if self.hashing_pool.queue.qsize() >= MAX_QUEUED:
            record(Event.HASHING_OVERLOADED, client_info(environ))
            raise ServiceUnavailable
        return self.hashing_pool

    def run_worker(self, pool: ThreadPool, place: int) -> None:
        """Answer one request after another, for as long as the process lives."""
        while True:
            environ, done = pool.queue.get()
            pool.busy[place] = True
            try:
                told = partial(done.set_result, self.call_wsgi(environ))
            except Exception:  # out of a stream or a signal; what a view raises never gets here
                log.exception("request_failed")
                told = partial(done.set_exception, InternalServerError())
            done.get_loop().call_soon_threadsafe(told)
            pool.busy[place] = False

    def call_wsgi(self, environ: dict[str, Any]) -> ResponseTuple:
        """Have the application answer, or refuse; streams are small here, and sent in one piece like the rest."""
        begun: list[Any] = []
        parts = self.application(environ, lambda status, headers: begun.extend((status, headers)))
        with closing(parts) if hasattr(parts, "close") else nullcontext():  # PEP 3333
            return int(begun[0][:3]), begun[1], b"".join(parts)
