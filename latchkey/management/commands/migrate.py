"""latchkey migrate: Django's own, by one node at a time."""

import time
from typing import Any

from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

ADVISORY_LOCK_ID = int.from_bytes(b"latchkey")
"""The number of the advisory lock; nobody else in this database should happen upon it."""

POLL_INTERVAL = 0.5  # seconds


class Command(DjangoCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, on PostgreSQL after whichever other node is at it has ended.

        Nodes that start together would all plan the same migrations, and all but one would fail over tables that
        are there already. The lock goes with its connection: a node that dies leaves none behind.
        """
        connection = connections[options["database"]]
        locked = connection.vendor == "postgresql"
        if locked:
            self.acquire_lock(connection)
        try:
            super().handle(*args, **options)
        finally:
            if locked:
                connection.close()  # and with it the lock

    def acquire_lock(self, connection: BaseDatabaseWrapper) -> None:
        """Take the lock; ask for it time and again, as CREATE INDEX CONCURRENTLY would wait for a waiting statement."""
        told = False
        with connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK_ID])
                if cursor.fetchone() == (True,):
                    return
                if not told:
                    self.stderr.write("Another node is migrating this database; waiting for it to end.")
                    told = True
                time.sleep(POLL_INTERVAL)
