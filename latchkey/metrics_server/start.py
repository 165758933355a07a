"""Start the metrics of a worker process, before its first request."""

import asyncio
from collections.abc import Mapping
from threading import Thread

from latchkey.audit.events import Event
from latchkey.db.probe import DatabaseProbe
from latchkey.metrics_server.collectors import MultiprocessDirectory
from latchkey.metrics_server.hourly_totals import HourlyFlusher
from latchkey.metrics_server.listener import serve_in_thread
from latchkey.metrics_server.shared_directory import MetricsContext
from latchkey.metrics_server.views import MetricsApplication
from latchkey.metrics_server.worker_gauges import WorkerGauges
from latchkey.telemetry.metrics import EVENTS_TOTAL
from latchkey.telemetry.request_log import use_directory
from latchkey.telemetry.worker_pool import ThreadPool


def start_metrics(
    context: MetricsContext, pools: Mapping[str, ThreadPool], loop: asyncio.AbstractEventLoop, probe: DatabaseProbe
) -> None:
    """Store this worker's metrics in the shared directory, start its gauges, and serve the metrics address."""
    MultiprocessDirectory.path = context.directory
    use_directory(context.directory)
    for event in Event:
        EVENTS_TOTAL.labels(event.value)  # 0 from the start: a counter that first appears with 1 has no rate
    Thread(target=WorkerGauges(pools).run, daemon=True).start()
    Thread(target=HourlyFlusher().run, daemon=True).start()
    if context.listener:
        serve_in_thread(context.listener, MetricsApplication(loop, probe))
