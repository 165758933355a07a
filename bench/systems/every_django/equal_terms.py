"""Settings that all other Django systems share: database, secret key and password hash.

This module runs in the environment of the system, where no module of the benchmark is available.
"""

import os

import psycopg
from django.contrib.auth.hashers import Argon2PasswordHasher

_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
_GIVEN = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])


class Argon2id(Argon2PasswordHasher):
    """Django's hasher with the parameters of Latchkey: 19 MiB, two passes, one lane."""

    memory_cost, time_cost, parallelism = 19_456, 2, 1


SECRET_KEY = os.environ["BENCH_SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,  # one persistent connection per thread
        **{_NAMES[key]: str(value) for key, value in _GIVEN.items() if key in _NAMES},
    }
}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
    if os.environ.get("BENCH_CHEAP_HASH") == "1"
    else "equal_terms.Argon2id"
]
