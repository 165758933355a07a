"""What every Django system in the bench is given alike; its settings take it from here.

This runs in the rival's own environment, and no module of the bench is there.
"""

import os

import psycopg
from django.contrib.auth.hashers import Argon2PasswordHasher

_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
_GIVEN = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])


class Argon2id(Argon2PasswordHasher):
    """The parameters that Latchkey has, 19 MiB, two passes and one lane, as Django's own hasher computes them."""

    memory_cost, time_cost, parallelism = 19_456, 2, 1


SECRET_KEY = os.environ["BENCH_SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,  # a connection for each thread, and it stays
        **{_NAMES[key]: str(value) for key, value in _GIVEN.items() if key in _NAMES},
    }
}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
    if os.environ.get("BENCH_CHEAP_HASH") == "1"
    else "equal_terms.Argon2id"
]
