"""Which trace a request belongs to (W3C Trace Context)."""

import re
from typing import NamedTuple

_TRACEPARENT = re.compile("00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


class Trace(NamedTuple):
    """The trace, and the caller's span in it: 32 and 16 hexadecimal digits."""

    trace_id: str
    span_id: str


def trace_in(traceparent: str) -> Trace | None:
    """Return what a traceparent header says; None where it is not exactly of version 00, for it goes into the log."""
    matched = _TRACEPARENT.fullmatch(traceparent)
    return Trace(*matched.groups()) if matched else None
