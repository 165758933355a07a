"""The work of password hashing, counted at the calls into the C libraries: counts are exact, times are noisy."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import argon2
from _argon2_cffi_bindings import ffi  # type: ignore[import-untyped]  # ships no types
from nacl.bindings import crypto_pwhash

from latchkey.hashing import argon2 as hashing

CFFI: Any = argon2.low_level
LIBSODIUM: Any = crypto_pwhash
"""Modules of the two libraries with the `lib` that is their C code, which their types do not know."""

FULL_COST = hashing.MEMORY_KIB * hashing.TIME_COST


class HashingCost:
    """Sums up memory (KiB) times passes of all hashes.

    It is also a clock that advances by `pace` microseconds for each unit.
    """

    def __init__(self) -> None:
        self.cost, self.pace, self.microseconds = 0, 1.0, 0.0
        self.sees_lanes, self.has_memory = True, True

    def thread_time(self) -> float:
        return self.microseconds / 1e6

    def compute(self, passes: int, memory: int) -> None:
        self.cost += passes * memory
        self.microseconds += passes * memory * self.pace

    def verify(self, encoded: bytes) -> None:
        try:
            parameters = argon2.extract_parameters(encoded.decode())
        except argon2.exceptions.InvalidHashError:
            return  # a broken one, which no library computes
        before = self.microseconds
        self.compute(parameters.time_cost, parameters.memory_cost)
        if parameters.parallelism > 1 and not self.sees_lanes:
            self.microseconds = before

    def verify_with_libsodium(self, encoded: bytes) -> bool:
        """Count and return True; return False where memory is short, which libsodium notices within 50 microseconds."""
        if self.has_memory:
            self.verify(encoded)
        else:
            self.microseconds += 50
        return self.has_memory

    def hash_with_libsodium(self, passes: int, memory: int) -> bool:
        if self.has_memory:
            self.compute(passes, memory)
        return self.has_memory


class CountedLibrary:
    """A C library with some functions counted before the call; they fail where the counter returns False."""

    def __init__(self, library: Any, **counting: Any) -> None:
        self.library, self.counting = library, counting

    def __getattr__(self, name: str) -> Any:
        function, count = getattr(self.library, name), self.counting.get(name)
        if count is None:
            return function

        def counted(*args: Any) -> Any:
            return -1 if count(*args) is False else function(*args)

        return counted


@contextmanager
def measure_hashing(is_clock: bool = True) -> Iterator[HashingCost]:
    """Count the work of hashing in this block; with is_clock, the code under test sees the count as its CPU time."""
    counted = HashingCost()
    cffi = CountedLibrary(
        CFFI.lib,
        argon2_hash=lambda passes, memory, *rest: counted.compute(passes, memory),
        argon2_verify=lambda encoded, *rest: counted.verify(ffi.string(encoded)),
    )
    sodium = CountedLibrary(
        LIBSODIUM.lib,
        crypto_pwhash=lambda *args: counted.hash_with_libsodium(
            args[5], args[6] // 1024
        ),  # opslimit, memlimit in bytes
        crypto_pwhash_str_verify=lambda encoded, *rest: counted.verify_with_libsodium(encoded),
    )
    with patch.object(CFFI, "lib", cffi), patch.object(LIBSODIUM, "lib", sodium):
        if is_clock:
            with (
                patch.object(hashing, "thread_time", counted.thread_time),
                patch.object(hashing, "recent_durations", deque([FULL_COST / 1e6])),
            ):
                yield counted
        else:
            yield counted
