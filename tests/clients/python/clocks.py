"""A clock that tests move on: the argument `clock` of Verifier, Introspection and ClientCredentials."""

import time


class MovedClock:
    """The clock of this machine, moved on by seconds."""

    def __init__(self) -> None:
        self.wall = self.elapsed = 0.0

    def time(self) -> float:
        return time.time() + self.wall

    def monotonic(self) -> float:
        return time.monotonic() + self.elapsed

    def advance(self, seconds: float) -> None:
        """Let time pass for both readings."""
        self.wall += seconds
        self.elapsed += seconds
