"""Have a worker be watched, from its first request on."""

import asyncio
from collections.abc import Mapping
from threading import Thread

from latchkey.audit.events import Event
from latchkey.metrics_server.collectors import MultiprocessDirectory
from latchkey.metrics_server.hourly_totals import HourlyFlusher
from latchkey.metrics_server.listener import serve_in_thread
from latchkey.metrics_server.shared_directory import MetricsContext
from latchkey.metrics_server.views import MetricsApplication
from latchkey.metrics_server.worker_gauges import WorkerGauges
from latchkey.telemetry.metrics import EVENTS_TOTAL
from latchkey.telemetry.request_log import use_directory
from latchkey.telemetry.worker_pool import ThreadPool


def start_metrics(context: MetricsContext, pools: Mapping[str, ThreadPool], loop: asyncio.AbstractEventLoop) -> None:
    """Have this process, a worker that has just begun, count in the folder of all, and answer at the own address."""
    MultiprocessDirectory.path = context.directory
    use_directory(context.directory)
    for event in Event:
        EVENTS_TOTAL.labels(event.value)  # from 0 on: what is seen for the first time at 1 has no rate
    Thread(target=WorkerGauges(pools).run, daemon=True).start()
    Thread(target=HourlyFlusher().run, daemon=True).start()
    if context.listener:
        serve_in_thread(context.listener, MetricsApplication(loop))
