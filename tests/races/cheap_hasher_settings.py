"""Settings with a cheap password hasher: 20 ms of hashing before a race for rows would only spread the requests."""

from latchkey.settings import *  # noqa: F403 - as Django has it: settings that differ in one

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of the one race that is about a slow check
]
