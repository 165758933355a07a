"""Progress bar of a run, and the systems that failed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from bench.server import SystemUnavailable


class Progress:
    """The progress bar, and the reasons of the systems that failed or are not available on this machine."""

    def __init__(self, bar: "tqdm[Any]") -> None:
        self.bar = bar
        self.failed: dict[str, str] = {}
        self.unavailable: dict[str, str] = {}

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[None]:
        """Show the step; record an exception as the reason why the system is not measured further."""
        self.bar.set_description(f"{name}: {what}"[:40].ljust(40))
        try:
            yield
        except SystemUnavailable as error:
            self.unavailable[name] = str(error)
            self.bar.write(f"{name} is not included: {error}", sys.stderr)
        except Exception as error:  # any failure of a system ends its measurement, and the run continues
            self.failed[name] = f"{what}: {type(error).__name__}: {error}"
            self.bar.write(f"{name} failed: {self.failed[name]}", sys.stderr)
        self.bar.update()
