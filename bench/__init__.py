"""Measurements; each is a command of its own, `python -m bench...`."""

import sys

if sys.platform != "linux":
    sys.exit("The bench needs Linux: what a process has computed, and on which cores, is asked as only Linux tells it.")
