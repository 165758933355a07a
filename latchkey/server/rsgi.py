"""RSGI application of a worker: event loop, request threads, and Django's WSGI application behind them.

A request costs a thread only after it has arrived completely, in time and within the size limit (docs/decisions/0005).
On PostgreSQL a request that one SQL statement answers needs no thread at all (docs/decisions/0015). Requests that hash
a password have a thread and a queue of their own, so that a flood of sign-ins does not delay the others.
"""

import asyncio
import gc
from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from django.db import connection

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import client_info, client_network
from latchkey.core.exceptions import ApiError, InternalServerError, ServiceUnavailable
from latchkey.db.async_pool import AsyncPool
from latchkey.db.probe import DatabaseProbe
from latchkey.db.statements import supports_prepared
from latchkey.hashing.queue import MAX_CONCURRENT, FairQueue
from latchkey.metrics_server.shared_directory import MetricsContext
from latchkey.server.answer_deadline import AnswerDeadline
from latchkey.server.hashing_routes import HashingRoutes
from latchkey.server.request_body import read_body
from latchkey.server.slow_heads import SlowHeads
from latchkey.server.unread_responses import limit_unread_responses
from latchkey.server.wsgi_environ import build_environ
from latchkey.telemetry.tracing import TracingMiddleware
from latchkey.telemetry.worker_pool import ThreadPool

if TYPE_CHECKING:
    from latchkey.web.fast_path import ResponseTuple

LIVENESS, READINESS = "/livez", "/readyz"
"""Paths of the health checks. They need no request thread: all of these may be waiting for the database."""

MAX_WAITING_FOR_ADMISSION = 512
"""Requests that may wait until their rate limit is looked at, which takes 2 to 3 ms; further ones get 503."""

REJECTION_DELAY = 2.0
"""Seconds before a sign-in is rejected because its network has taken the whole queue. A client that signs in again at
once would otherwise cost more CPU time by its rejections than the hashing of all others."""

MAIL_DRAIN_SECONDS = 5  # for the mail that is being sent when the worker stops

log = structlog.get_logger(__name__)


class Work(NamedTuple):
    """A request in the queue of a thread pool: the function that a thread calls with its environ, and the future."""

    act: Callable[[dict[str, Any]], Any]
    environ: dict[str, Any]
    future: "asyncio.Future[Any]"


class RsgiApplication:
    """The RSGI application of one worker. Django runs in its threads, each of which keeps a database connection."""

    def __init__(self, threads: int, metrics_context: MetricsContext, port: int) -> None:
        from latchkey.wsgi import application  # noqa: PLC0415 - late: only workers have one, not the main process

        self.application: Any = application
        from latchkey.factor_recovery.reminders import process_recoveries  # noqa: PLC0415 - late: models need Django
        from latchkey.mail.notices import process_pending  # noqa: PLC0415 - late, as above
        from latchkey.mail.worker import MailWorker  # noqa: PLC0415 - late, as above

        self.metrics_context = metrics_context
        self.mail_worker = MailWorker((process_pending, process_recoveries))
        self.hashing_routes, self.slow_heads = HashingRoutes(), SlowHeads(port)
        self.async_pool: AsyncPool | None = None
        self.probe = DatabaseProbe()
        self.request_queue: SimpleQueue[Work] = SimpleQueue()  # ThreadPoolExecutor costs 15 µs more per request
        self.hashing_queue: FairQueue[Work] = FairQueue()
        self.request_pool = ThreadPool(threads, self.request_queue)
        self.hashing_pool = ThreadPool(MAX_CONCURRENT, self.hashing_queue)
        self.admission_queue: FairQueue[Work] = FairQueue(MAX_WAITING_FOR_ADMISSION)
        self.admission_pool = ThreadPool(1, self.admission_queue)
        for pool in (self.request_pool, self.hashing_pool, self.admission_pool):
            for number in range(len(pool.busy)):
                Thread(target=self.run_worker, args=(pool, number), daemon=True).start()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        from latchkey.applications.access import application_statement  # noqa: PLC0415 - late, as above
        from latchkey.applications.credentials import secret_statement  # noqa: PLC0415 - late, as above
        from latchkey.metrics_server.start import start_metrics  # noqa: PLC0415 - late, as above
        from latchkey.sessions.sql import event_loop_statements  # noqa: PLC0415 - late: models need Django set up
        from latchkey.web.fast_path import FastPath  # noqa: PLC0415 - late, as above

        if isinstance(self.application, FastPath) and supports_prepared(connection) and not connection.queries_logged:
            applications = application_statement(), secret_statement()
            self.async_pool = AsyncPool((*event_loop_statements(), *applications), loop)
        self.deadline = AnswerDeadline(loop)
        self.admission = self.application if isinstance(self.application, FastPath) else None
        pools = {"requests": self.request_pool, "passwords": self.hashing_pool}
        start_metrics(self.metrics_context, pools, loop, self.probe)
        self.mail_worker.thread.start()
        loop.call_soon(limit_unread_responses, loop, 2 if self.metrics_context.listener else 1)
        self.slow_heads.start()
        gc.collect()
        gc.freeze()  # what was imported lives as long as the process: each full collection would stop all requests

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if isinstance(self.application, TracingMiddleware):
            self.application.shutdown()  # sends the last spans
        self.mail_worker.stop(MAIL_DRAIN_SECONDS)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request. An error of the server itself needs no database, and so no request thread."""
        self.slow_heads.begin(scope.client)
        try:
            protocol.response_bytes(*await self.respond(scope, protocol))
        finally:
            self.slow_heads.end(scope.client)

    async def respond(self, scope: Any, protocol: Any) -> "ResponseTuple":
        """Return the response to one request, from the event loop, a thread pool, or an error of the server."""
        loop, timing = asyncio.get_running_loop(), {}
        try:
            body = await read_body(scope, protocol)
            timing = {"latchkey.arrived": perf_counter()}
            environ = build_environ(scope, body) | timing
            answer = await self.try_fast_path(environ)
            if answer is None and scope.path in (LIVENESS, READINESS):
                answer = await self.answer_probe(scope.path, environ, loop)
            elif answer is None and self.hashing_routes.match(scope.method, scope.path):
                answer = await self.answer_hashing(environ, loop)
            elif answer is None:
                future = loop.create_future()
                self.request_queue.put(Work(self.call_wsgi, environ, future))
                answer = await self.deadline.wait(future, timing["latchkey.arrived"])
        except ApiError as error:
            environ = build_environ(scope, b"") | timing | {"latchkey.error": error}
            answer = await asyncio.to_thread(self.call_wsgi, environ)
        return answer

    async def answer_probe(
        self, path: str, environ: dict[str, Any], loop: asyncio.AbstractEventLoop
    ) -> "ResponseTuple":
        """Answer a health check within 2 s; raises ServiceUnavailable if the database does not answer."""
        if path == READINESS and not await self.probe.is_ready_async(loop):
            raise ServiceUnavailable
        return await asyncio.to_thread(self.call_wsgi, environ | {"latchkey.ready": True})

    async def try_fast_path(self, environ: dict[str, Any]) -> "ResponseTuple | None":
        """Answer on the event loop; None if the request needs a thread."""
        if self.async_pool is None:
            return None
        try:
            answer: ResponseTuple | None = await self.application.handle_async(environ, self.async_pool)
        except Exception:  # a bug of a fast handler: a thread may still be able to answer
            log.exception("request_failed")
            return None
        return answer

    async def answer_hashing(self, environ: dict[str, Any], loop: asyncio.AbstractEventLoop) -> "ResponseTuple":
        """Answer a request that hashes a password: rate limits first, then a place in the queue of its network.

        Raises ServiceUnavailable where the queue is full. A request that was counted as an attempt, and is not
        answered in the end, is taken back.
        """
        network = client_network(client_info(environ).address) or environ["REMOTE_ADDR"]
        if self.admission and self.admission.must_admit(environ):
            if not self.hashing_queue.has_place(network):  # before the attempt is counted, which is two statements
                record(Event.HASHING_OVERLOADED, client_info(environ))
                await asyncio.sleep(REJECTION_DELAY)
                return self.admission.refuse(ServiceUnavailable(), environ)
            admitting = Work(self.admission.admit, environ, loop.create_future())
            refused: ResponseTuple | None = await self.wait_in_turn(self.admission_queue, network, admitting)
            if refused is not None:
                return refused
        try:
            work = Work(self.call_wsgi, environ, loop.create_future())
            answer: ResponseTuple = await self.wait_in_turn(self.hashing_queue, network, work)
        except ServiceUnavailable:
            if self.admission and not environ.get("latchkey.started"):
                self.request_queue.put(Work(self.admission.withdraw, environ, loop.create_future()))
            raise
        return answer

    async def wait_in_turn(self, queue: FairQueue[Work], network: str, work: Work) -> Any:
        """Return the result of a request in a fair queue; raises ServiceUnavailable without a place, or too late."""
        rejected = queue.put(network, work)
        if rejected is not None:
            record(Event.HASHING_OVERLOADED, client_info(rejected.environ))
            if not rejected.future.done():
                rejected.future.set_exception(ServiceUnavailable())
        return await self.deadline.wait(work.future, work.environ["latchkey.arrived"])

    def run_worker(self, pool: ThreadPool, number: int) -> None:
        """Answer requests from the pool's queue, one after another; the main function of a request thread."""
        while True:
            work: Work = pool.queue.get()
            act, environ, future = work
            if future.done():  # it has waited for too long, and the event loop has answered it
                continue
            pool.busy[number] = True
            environ["latchkey.started"] = pool is self.hashing_pool
            try:
                resolve = partial(future.set_result, act(environ))
            except Exception:  # from a streamed response or a signal; Django handles what views raise
                log.exception("request_failed")
                resolve = partial(future.set_exception, InternalServerError())
            future.get_loop().call_soon_threadsafe(resolve_once, future, resolve)
            pool.busy[number] = False

    def call_wsgi(self, environ: dict[str, Any]) -> "ResponseTuple":
        """Call Django and return status, headers and the whole body; streamed responses (static files) are small."""
        head: list[Any] = []
        parts = self.application(environ, lambda status, headers: head.extend((status, headers)))
        with closing(parts) if hasattr(parts, "close") else nullcontext():  # PEP 3333
            return int(head[0][:3]), head[1], b"".join(parts)


def resolve_once(future: "asyncio.Future[ResponseTuple]", resolve: Callable[[], None]) -> None:
    """Resolve a request's future on the event loop, unless the deadline or the end of its connection came first."""
    if not future.done():
        resolve()
