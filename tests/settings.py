"""The shipped settings, with the test database in a file: SQLite in memory has neither WAL nor two processes."""

import os
from pathlib import Path

from latchkey.settings import *  # noqa: F403 - settings are all the names of a module
from latchkey.settings import DATABASE_URL, DATABASES, LOGGING

if not DATABASE_URL:
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["LATCHKEY_TESTS_IN"]) / "test.sqlite3")}

LOGGING["loggers"]["httpx"] = {"level": "WARNING"}
LOGGING["loggers"]["mail"] = {"level": "ERROR"}  # aiosmtpd's, which tells all that clients say
LOGGING["loggers"]["latchkey"] = {"level": "INFO", "propagate": True}  # to the root, where tests listen
