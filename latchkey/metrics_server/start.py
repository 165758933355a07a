"""Have a worker be watched, from its first request on."""

import asyncio
from collections.abc import Mapping
from threading import Thread

from latchkey.audit.events import Event
from latchkey.metrics_server.collectors import Shared
from latchkey.metrics_server.hourly_totals import Tallies
from latchkey.metrics_server.listener import answer_at
from latchkey.metrics_server.shared_directory import Watch
from latchkey.metrics_server.views import OwnAddress
from latchkey.metrics_server.worker_gauges import Sample
from latchkey.telemetry import metrics
from latchkey.telemetry.worker_pool import Pool


def be_watched(watch: Watch, pools: Mapping[str, Pool], loop: asyncio.AbstractEventLoop) -> None:
    """Have this process, a worker that has just begun, count in the folder of all, and answer at the own address."""
    Shared.folder = watch.folder
    metrics.share_in(watch.folder)
    for event in Event:
        metrics.EVENTS.labels(event.value)  # from 0 on: what is seen for the first time at 1 has no rate
    Thread(target=Sample(pools).keep_writing, daemon=True).start()
    Thread(target=Tallies().keep_telling, daemon=True).start()
    if watch.listener:
        answer_at(watch.listener, OwnAddress(loop))
