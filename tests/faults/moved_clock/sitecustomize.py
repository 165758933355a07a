"""Move the product's only clock, in every Python process that has this folder on its PYTHONPATH.

The file that LATCHKEY_TESTS_CLOCK names holds the seconds by which it is off; it is read at every question.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from latchkey.core import clock

_true, _off = clock.now, Path(os.environ["LATCHKEY_TESTS_CLOCK"])


def shifted_now() -> datetime:
    return _true() + timedelta(seconds=float(_off.read_text()))


clock.now = shifted_now
