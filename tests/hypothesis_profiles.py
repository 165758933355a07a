"""Leave for the properties that cannot keep Hypothesis' 200 ms for each example."""

import hypothesis

NO_DEADLINE = hypothesis.settings(deadline=None)
"""Each example waits for a socket, a database or Argon2, and so for whatever else the machine has to do."""
