"""The lines of a file, numbered: what is wrong with one costs nobody but itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

LONGEST = 64 * 1024
"""Bytes of one line; the rest of a longer one is passed over without being held."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str = ""
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One record, by the name that an operator finds it by: its values, or the sentence that says why there are none.

    last is the number of its last line, or how many came before it in a table, and itself.
    """

    name: str
    last: int
    values: Mapping[str, Any] = field(default_factory=dict)
    complaint: str = ""


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """Read UTF-8, with a byte order mark or without; lines end in LF or in CR LF."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST)
            yield Line(number, complaint=f"It is longer than {LONGEST} bytes.")
            continue
        try:
            yield Line(number, line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            yield Line(number, complaint="It is not UTF-8.")
