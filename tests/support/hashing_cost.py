"""How much Argon2 computes, counted where the libraries call their C code: a count is equal or not, a time is noise."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import argon2
from _argon2_cffi_bindings import ffi
from nacl.bindings import crypto_pwhash as libsodium

from latchkey.hashing import argon2 as hashing

FULL_COST = hashing.MEMORY_KIB * hashing.TIME_COST


class HashingCost:
    """Adds up memory (KiB) times passes of all that is computed; and is a clock, where each takes pace microseconds."""

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
        """Count and return True, or False where there is no memory to compute in, which takes little to find out."""
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
    """C code of which some functions are counted first, and fail where the count says False."""

    def __init__(self, library: Any, **counting: Any) -> None:
        self.library, self.counting = library, counting

    def __getattr__(self, name: str) -> Any:
        function, count = getattr(self.library, name), self.counting.get(name)

        def counted(*args: Any) -> Any:
            return -1 if count(*args) is False else function(*args)

        return counted if count else function


@contextmanager
def measure_hashing(is_clock: bool = True) -> Iterator[HashingCost]:
    """Count what is computed from here on, and have the code look at that as at its clock, or at its own."""
    counted = HashingCost()
    cffi = CountedLibrary(
        argon2.low_level.lib,
        argon2_hash=lambda passes, memory, *rest: counted.compute(passes, memory),
        argon2_verify=lambda encoded, *rest: counted.verify(ffi.string(encoded)),
    )
    sodium = CountedLibrary(
        libsodium.lib,
        crypto_pwhash=lambda *args: counted.hash_with_libsodium(
            args[5], args[6] // 1024
        ),  # opslimit, memlimit in bytes
        crypto_pwhash_str_verify=lambda encoded, *rest: counted.verify_with_libsodium(encoded),
    )
    with patch.object(argon2.low_level, "lib", cffi), patch.object(libsodium, "lib", sodium):
        if is_clock:
            with (
                patch.object(hashing, "thread_time", counted.thread_time),
                patch.object(hashing, "recent_durations", [FULL_COST / 1e6]),
            ):
                yield counted
        else:
            yield counted
