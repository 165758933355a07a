"""Single flight: of concurrent callers, in threads and event loops, one runs a function and all get its result.

The function runs in a thread of its own, so that it blocks no event loop, and goes on if the caller that started it is
cancelled.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """One run of a function at a time."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._running: Future[T] | None = None
        self._pid = os.getpid()

    def start(self) -> Future[T]:
        """Return the future of the run that is under way, or of a new one.

        Wait for it with `future.result(timeout)`, or in an event loop with `asyncio.wrap_future(future)`.
        """
        with self._lock:
            if self._running is None or self._pid != os.getpid():  # threads do not survive a fork
                self._pid = os.getpid()
                self._running = future = Future[T]()
                future.set_running_or_notify_cancel()  # so that a cancelled caller does not cancel it
                thread = threading.Thread(target=self._run, args=(future,), daemon=True, name="latchkey-client")
                try:
                    thread.start()
                except RuntimeError:  # no more threads, or the interpreter is ending
                    self._running = None
                    raise
            return self._running

    @property
    def running(self) -> "Future[T] | None":
        """The future of the run that is under way; None if there is none."""
        return self._running if self._pid == os.getpid() else None

    def _run(self, future: "Future[T]") -> None:
        try:
            result = self._function()
        except BaseException as error:  # the callers raise it
            with self._lock:
                self._running = None
            future.set_exception(error)
        else:
            with self._lock:
                self._running = None
            future.set_result(result)
