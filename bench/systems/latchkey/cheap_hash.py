"""Settings of Latchkey with a cheap password hash, which shows the cost of the rest of a login; for benchmarks only."""

from latchkey.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
