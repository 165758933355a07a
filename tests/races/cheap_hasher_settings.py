"""Latchkey with a hash that costs nothing: the races are for rows, and 20 ms before them only spread the racers."""

from latchkey.settings import *  # noqa: F403 - as Django has it: settings that differ in one

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of the one race that is about a slow check
]
