"""Hypothesis settings for properties that cannot keep the deadline for one example (see `tests/quick.py`)."""

import hypothesis

NO_DEADLINE = hypothesis.settings(deadline=None)
"""Each example waits for a socket, a database or Argon2, and so for whatever else the machine has to do."""
