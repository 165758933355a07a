"""Benchmarks. `python -m bench` compares sign-in systems; the other modules are single measurements of Latchkey."""

import sys

if sys.platform != "linux":
    sys.exit(
        "The benchmarks need Linux: CPU time and CPU affinity of processes are read from /proc and by Linux calls."
    )
