"""Granian's server that goes on while one of its workers works, and starts a worker again that ends again and again.

Granian ends the whole service if a worker ends twice within seconds. The kernel may do that to any worker when memory
is short, while the others answer every request.
"""

import time
from collections.abc import Sequence
from typing import Any

from granian.server import Server

STABLE_SECONDS = 5.5
"""Granian's own: a worker that ends sooner after it was started again is in a crash loop."""

RETRY_SECONDS = 5.0
"""Seconds until such a worker is started again."""


class RespawnTimes(dict[int, float]):
    """When granian started workers again, which it reads to find a crash loop: none while another worker is stable."""

    def __init__(self, server: "SupervisedServer") -> None:
        super().__init__()
        self.server = server

    def get(self, key: int, default: Any = None) -> Any:
        return default if self.server.has_stable_worker() else super().get(key, default)


class SupervisedServer(Server):  # type: ignore[misc, valid-type]  # granian chooses its class
    """A server that ends with exit code 1 only if no worker is left that has worked for a while."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.respawned_wrks = RespawnTimes(self)
        self.started_again: dict[int, float] = {}

    def has_stable_worker(self) -> bool:
        """Return whether a worker has lived for long enough."""
        latest = time.monotonic() - STABLE_SECONDS
        return any(worker.is_alive() and worker.birth < latest for worker in self.wrks)

    def _respawn_workers(self, workers: Sequence[int], *args: Any, **kwargs: Any) -> None:
        """Start workers again, those that have ended twice in a short time a little later if another one works."""
        latest = time.monotonic() - STABLE_SECONDS
        if self.has_stable_worker() and any(self.started_again.get(worker, 0.0) > latest for worker in workers):
            self.main_loop_interrupt.wait(RETRY_SECONDS)  # set by a signal, and by the end of another worker
        if self.interrupt_signal:
            return
        super()._respawn_workers(workers, *args, **kwargs)
        self.started_again.update(dict.fromkeys(workers, time.monotonic()))
