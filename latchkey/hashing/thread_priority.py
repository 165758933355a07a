"""Have a thread give way to all others: what Linux has for that, and Python in part."""

import ctypes
import os
import platform
import struct
import sys

NICENESS = 10
"""Linux counts it by thread (nice(2)): the processor's other work goes before."""

TIME_SLICE_NS = 50_000_000
"""Nanoseconds for which the thread asks to run at a time; 3 ms or less are usual."""

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""The number of the system call, which neither Python nor the C library wraps."""


def lower_thread_priority() -> None:
    """Lower the priority of this thread, and make its slices long.

    A thread that wakes up interrupts one whose slice is longer, at once instead of at the next tick of up to 10 ms
    (EEVDF, Linux 6.12 and newer; sched(7)). Anywhere else the priority alone is lowered.
    """
    niceness = os.nice(NICENESS)
    number = _SCHED_SETATTR.get(platform.machine())
    if number and sys.platform == "linux":
        # size, policy (SCHED_OTHER), flags, nice, priority, runtime: the slice, deadline, period (sched_setattr(2))
        wanted = struct.pack("=IIQiIQQQ", 48, 0, 0, niceness, 0, TIME_SLICE_NS, 0, 0)
        ctypes.CDLL(None).syscall(number, 0, wanted, 0)  # who may not, or has an older kernel, goes on without
