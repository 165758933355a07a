"""Have a worker be watched, from its first request on."""

import asyncio
from collections.abc import Mapping
from threading import Thread

from latchkey.audit.events import Event
from latchkey.core import metrics
from latchkey.core.pool import Pool
from latchkey.watch.address import answer_at
from latchkey.watch.exposition import Shared
from latchkey.watch.sample import Sample
from latchkey.watch.shared import Watch
from latchkey.watch.tallies import Tallies
from latchkey.watch.views import OwnAddress


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
