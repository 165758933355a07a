"""A pseudo-terminal for interactive commands: it waits for a prompt and types a line.

Only commands that read a password need it.
"""

import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.server import Server

PROMPT_TIMEOUT = 30
"""Seconds until a prompt is taken not to come."""


class Terminal:
    """The output of a running command since the last answer, and its standard input."""

    def __init__(self, screen: int) -> None:
        self.fd, self.output = screen, ""

    def answer(self, prompt: str, typed: str) -> str:
        """Wait for a prompt and type a line; return the output before the prompt.

        getpass discards what is typed earlier.
        """
        deadline = time.monotonic() + PROMPT_TIMEOUT
        while prompt not in self.output:
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {prompt!r} in {self.output!r}"
            self.output += os.read(self.fd, 4096).decode()
        before, _, self.output = self.output.partition(prompt)
        os.write(self.fd, f"{typed}\n".encode())
        return before


@contextmanager
def run_in_terminal(server: Server, *arguments: str) -> Iterator[Terminal]:
    """Run a latchkey command on the database of this server with a pseudo-terminal; assert that it exits with 0."""
    screen, keyboard = os.openpty()
    process = server.spawn(*arguments, stdin=keyboard, output=keyboard)
    try:
        yield Terminal(screen)
        assert process.wait(PROMPT_TIMEOUT) == 0
    finally:
        process.kill()
        process.wait()
        os.close(keyboard)
        os.close(screen)
