"""latchkey serve: prepare what is missing, then answer requests until told to stop."""

import ctypes
import os
import resource
import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from latchkey.accounts.superuser import ensure_superuser
from latchkey.checks import require_safe_configuration
from latchkey.mail.checks import refuse_broken_templates
from latchkey.metrics_server.shared_directory import open_metrics_socket, shared_directory
from latchkey.metrics_server.sockets import bind
from latchkey.server.rsgi import RsgiApplication
from latchkey.signing_keys.startup import prepare_keys

DRAIN_SECONDS = 30
HEADER_TIMEOUT = 10  # for a head, and for an idle connection until the next one begins
MAX_HEADER_BYTES = 8192  # a longer head is answered 431; the server takes no smaller limit
MAX_CONNECTIONS = 4096  # of one worker; past them, the next ones wait to be accepted
RESERVED_FILES = 256  # that a worker opens besides: its database, its modules, its templates
PR_SET_PDEATHSIG = 1


def int_range(low: int, high: int) -> Callable[[str], int]:
    """Return a reader for a whole number in this range."""

    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return read


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # they come second, after what production asks for in a line each
    help = "Serve on granian. On the default SQLite database the tables are made and brought up to date first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        cores = min(os.cpu_count() or 1, 8)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int_range(1, 65535), default=8000, help="port (default: %(default)s)")
        number, threads = int_range(1, 256), "threads in each, besides those that hash passwords (default: %(default)s)"
        parser.add_argument("--workers", type=number, default=cores, help="one a core, 8 at most (%(default)s)")
        parser.add_argument("--threads", type=number, default=10, help=threads)

    def handle(self, *args: Any, host: str, port: int, workers: int, threads: int, **options: Any) -> None:
        require_safe_configuration()
        refuse_broken_templates()
        self.check()
        listener = open_metrics_socket()
        bind(host, port).close()  # the server itself would share a taken port
        prepare_tables()
        prepare_keys()
        admin = create_first_superuser()
        connections.close_all()  # the workers are forked, and a connection must not be shared
        server = Server(
            "latchkey.server.rsgi:RsgiApplication",
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT * 1000, max_buffer_size=MAX_HEADER_BYTES),
            websockets=False,
            backpressure=max_connections(),
            workers=workers,
            respawn_failed_workers=True,
            workers_kill_timeout=DRAIN_SECONDS,
            log_level=LogLevels.error,  # its warnings are advice about the number of threads
        )
        os.register_at_fork(after_in_child=end_with_parent)
        server.on_startup(lambda: self.stdout.write(banner(f"http://{url_host(host)}:{port}", admin), ending=""))
        with shared_directory(listener) as watch:
            front: Any = partial(RsgiApplication, threads, watch)  # called in each worker
            server.serve(target_loader=front, wrap_loader=False)
        self.stdout.write("Latchkey has stopped.")


def max_connections() -> int:
    """Return how many connections a worker may hold; the server has raised the limit on open files as far as it may."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, files - RESERVED_FILES))


def end_with_parent() -> None:
    """Have Linux end a worker whose main process was killed; it would keep the port and never be stopped."""
    with suppress(AttributeError):  # not on Linux
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def prepare_tables() -> None:
    """Migrate the default SQLite database; any other is migrated by its operator, and refused until it is."""
    if not settings.DATABASE_URL:
        call_command("migrate", verbosity=0)
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise ImproperlyConfigured("The database is not up to date; run 'latchkey migrate' first.")


def create_first_superuser() -> tuple[str, str] | None:
    """Make the superuser of the environment, or on the default SQLite database one with a password of chance."""
    email = settings.ADMIN_EMAIL
    if not email and (settings.PRODUCTION or settings.DATABASE_URL):
        return None
    email = email or "admin@example.com"
    try:
        generated = ensure_superuser(email, settings.ADMIN_PASSWORD)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"LATCHKEY_ADMIN_EMAIL or LATCHKEY_ADMIN_PASSWORD cannot be used: {error}"
        ) from error
    return (email, generated) if generated else None


def url_host(host: str) -> str:
    """Return the host as it stands in a URL (RFC 3986 section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def banner(url: str, admin: tuple[str, str] | None) -> str:
    """Return what a person needs to see first."""
    lines = [f"Latchkey is at {url}/"]
    if settings.API_DOCS:
        lines += [f"  documentation   {url}/api-doc/"]
    lines += [f"  {'browsable API' if settings.BROWSABLE_API else 'API'.ljust(13)}   {url}/api/"]
    lines += [f"  admin           {url}/admin/"]
    if admin:
        lines += [f"  admin e-mail    {admin[0]}", f"  admin password  {admin[1]}   (shown this once)"]
    return "\n".join([*lines, "Ctrl-C stops it.", ""])
