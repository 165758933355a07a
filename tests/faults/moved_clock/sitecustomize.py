"""Shifts the clock of the product in every Python process with this folder on its PYTHONPATH.

The file that LATCHKEY_TESTS_CLOCK names holds the offset in seconds; it is read at every call.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from latchkey.core import clock

_true, _offset = clock.now, Path(os.environ["LATCHKEY_TESTS_CLOCK"])


def shifted_now() -> datetime:
    return _true() + timedelta(seconds=float(_offset.read_text()))


clock.now = shifted_now
