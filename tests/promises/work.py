"""How much Argon2 computes, counted where the library calls its C code: a count is equal or not, a time is noise."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import argon2
from _argon2_cffi_bindings import ffi


class CountedLibrary:
    """The C code, which adds up memory (KiB) times passes of all that it is asked to compute."""

    def __init__(self, library: Any) -> None:
        self.library, self.work = library, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, name)

    def argon2_hash(self, passes: int, memory: int, *rest: Any) -> Any:
        self.work += memory * passes
        return self.library.argon2_hash(passes, memory, *rest)

    def argon2_verify(self, encoded: Any, *rest: Any) -> Any:
        parameters = argon2.extract_parameters(ffi.string(encoded).decode())
        self.work += parameters.memory_cost * parameters.time_cost
        return self.library.argon2_verify(encoded, *rest)


@contextmanager
def counted() -> Iterator[CountedLibrary]:
    """Count what is computed from here on."""
    library = argon2.low_level.lib
    argon2.low_level.lib = CountedLibrary(library)
    try:
        yield argon2.low_level.lib
    finally:
        argon2.low_level.lib = library
