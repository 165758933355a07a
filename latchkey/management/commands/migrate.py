"""`latchkey migrate`: Django's command under a lock, so that several nodes may run it at once (PostgreSQL)."""

import time
from typing import Any

from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from latchkey.management.options import OPTIONS

ADVISORY_LOCK_ID = int.from_bytes(b"latchkey")
"""Number of the advisory lock. Nothing else in the database should use the same number."""

POLL_INTERVAL = 0.5  # seconds


class Command(DjangoCommand):
    help = OPTIONS["migrate"].help

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, on PostgreSQL under an advisory lock.

        Nodes that start together would all plan the same migrations, and all but one would fail because the tables
        exist already. The lock belongs to the connection: a node that dies leaves none behind.
        """
        connection = connections[options["database"]]
        locked = connection.vendor == "postgresql"
        if locked:
            self.acquire_lock(connection)
        try:
            super().handle(*args, **options)
        finally:
            if locked:
                connection.close()  # releases the lock

    def acquire_lock(self, connection: BaseDatabaseWrapper) -> None:
        """Take the advisory lock, by polling.

        A statement that waits for the lock would be an open transaction, and CREATE INDEX CONCURRENTLY waits for those.
        """
        announced = False
        with connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK_ID])
                if cursor.fetchone() == (True,):
                    return
                if not announced:
                    self.stderr.write("Another node is migrating this database; waiting for it to end.")
                    announced = True
                time.sleep(POLL_INTERVAL)
