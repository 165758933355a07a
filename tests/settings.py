"""The shipped settings, with the test database in a file and a cheap password hasher.

SQLite in memory has neither WAL nor two processes. Argon2id is slow on purpose, so only tests marked `hashing` use it.
"""

import os
from pathlib import Path

from latchkey.settings import *  # noqa: F403 - settings are all the names of a module
from latchkey.settings import DATABASE_URL, DATABASES, LOGGING, PASSWORD_HASHERS

if not DATABASE_URL:
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["LATCHKEY_TESTS_IN"]) / "test.sqlite3")}

LOGGING["loggers"]["httpx"] = {"level": "WARNING"}
LOGGING["loggers"]["mail"] = {"level": "ERROR"}  # aiosmtpd's, which tells all that clients say
LOGGING["loggers"]["latchkey"]["propagate"] = True  # to the root, where tests listen
LOGGING["filters"] = {"third_party": {"()": lambda: lambda record: not record.name.startswith("latchkey.")}}
LOGGING["handlers"]["stdout"]["filters"] = ["third_party"]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
