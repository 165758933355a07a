"""How far a run is, and who fell out of it why."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from bench.server import SystemUnavailable


class Progress:
    """The bar of the run, and the names of those who failed or could not be had."""

    def __init__(self, bar: tqdm) -> None:
        self.bar = bar
        self.failed: dict[str, str] = {}
        self.left_out: dict[str, str] = {}

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[None]:
        """Show what is done; note why a system goes no further."""
        self.bar.set_description(f"{name}: {what}"[:40].ljust(40))
        try:
            yield
        except SystemUnavailable as error:
            self.left_out[name] = str(error)
            self.bar.write(f"{name} is left out: {error}", sys.stderr)
        except Exception as error:  # whatever a system does to us: it goes no further, and the run goes on
            self.failed[name] = f"{what}: {type(error).__name__}: {error}"
            self.bar.write(f"{name} failed: {self.failed[name]}", sys.stderr)
        self.bar.update()
