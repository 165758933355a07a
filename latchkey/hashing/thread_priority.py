"""Scheduling priority of the current thread (Linux): nice(2) and the time slice of sched_setattr(2)."""

import ctypes
import os
import platform
import struct
import sys

NICENESS = 10
"""Niceness, which Linux keeps for each thread (nice(2)): other threads of the machine come first."""

TIME_SLICE_NS = 50_000_000
"""Nanoseconds that the thread asks to run at a time; the default is 3 ms or less."""

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Number of the system call sched_setattr, which neither Python nor the C library wraps."""


def lower_thread_priority() -> None:
    """Lower the scheduling priority of the current thread, and make its time slices long.

    A thread that wakes up preempts one with a longer slice at once, instead of at the next tick of up to 10 ms (EEVDF,
    Linux 6.12 and newer; sched(7)). On other systems only the priority is lowered.
    """
    niceness = os.nice(NICENESS)
    number = _SCHED_SETATTR.get(platform.machine())
    if number and sys.platform == "linux":
        # size, policy (SCHED_OTHER), flags, nice, priority, runtime: the slice, deadline, period (sched_setattr(2))
        attributes = struct.pack("=IIQiIQQQ", 48, 0, 0, niceness, 0, TIME_SLICE_NS, 0, 0)
        ctypes.CDLL(None).syscall(number, 0, attributes, 0)  # an error (EPERM, an old kernel) changes nothing
