"""Latchkey with a hash that costs nothing, so that the rest of a sign-in can be seen; for the bench alone."""

from latchkey.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
