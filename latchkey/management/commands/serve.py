"""`latchkey serve`: run the server (granian, RSGI), after checks of the configuration and of the database."""

import ctypes
import os
import resource
import signal
from argparse import ArgumentParser
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from latchkey.accounts.superuser import ensure_superuser, has_superuser
from latchkey.checks import format_issues, long_retry_window, missing_mail_server, require_safe_configuration
from latchkey.conf.database import limit_answers
from latchkey.mail.checks import refuse_broken_templates
from latchkey.management.arguments import url_host
from latchkey.management.options import OPTIONS
from latchkey.metrics_server.shared_directory import open_metrics_socket, shared_directory
from latchkey.metrics_server.sockets import bind
from latchkey.server.rsgi import RsgiApplication
from latchkey.server.slow_heads import HEAD_TIMEOUT, is_supported
from latchkey.server.supervisor import SupervisedServer
from latchkey.signing_keys.startup import prepare_keys
from latchkey.telemetry.tracing import refuse_invalid_tracing

DRAIN_SECONDS = 30  # for open requests after SIGTERM; then the workers are killed
MAX_HEADER_BYTES = 8192  # longer header sections are answered 431; granian accepts no smaller limit
MAX_CONNECTIONS = 4096  # per worker; further connections wait to be accepted
RESERVED_FILES = 256  # file descriptors per worker for other purposes: database, modules, templates
PR_SET_PDEATHSIG = 1
NO_SUPERUSER = (
    "Nobody can administer the service: there is no active superuser. Run 'latchkey createsuperuser', or set "
    "LATCHKEY_ADMIN_EMAIL and LATCHKEY_ADMIN_PASSWORD and start again."
)


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # they run second, after the checks that print one line per problem
    help = OPTIONS["serve"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["serve"].add(parser)

    def handle(  # its options
        self, *args: Any, host: str, port: int, workers: int, threads: int, keep_alive: int, **options: Any
    ) -> None:
        """Check and prepare everything in this process, then serve until SIGTERM or SIGINT.

        Raises ImproperlyConfigured for what the operator has to fix: a setting, the database, a mail template, a port.
        """
        limit_answers(settings.DATABASES["default"])  # a start must not hang either
        require_safe_configuration()
        refuse_broken_templates()
        refuse_invalid_tracing()
        self.report(*run_checks(), *missing_mail_server())
        listener = open_metrics_socket()
        with bind(host, port) as probe:  # granian sets SO_REUSEPORT, and would share a port that is in use
            address = probe.getsockname()[0]  # and it takes no names, such as localhost
        prepare_tables()
        self.report(*long_retry_window([DEFAULT_DB_ALIAS]))
        prepare_keys()
        admin = create_first_superuser()
        if not has_superuser():
            self.stderr.write(f"latchkey: {NO_SUPERUSER}")
        connections.close_all()  # a connection must not be shared with the workers, which are forked
        server = SupervisedServer(
            "latchkey.server.rsgi:RsgiApplication",
            address=address,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            http1_settings=http1_settings(keep_alive),
            websockets=False,
            backpressure=max_connections(),
            workers=workers,
            respawn_failed_workers=True,
            workers_kill_timeout=DRAIN_SECONDS,
            log_level=LogLevels.error,  # the warnings of granian are advice about the number of threads
        )
        os.register_at_fork(after_in_child=end_with_parent)
        server.on_startup(lambda: self.stdout.write(banner(f"http://{url_host(host)}:{port}", admin), ending=""))
        with shared_directory(listener) as watch:
            front: Any = partial(RsgiApplication, threads, watch, port)  # called in each worker
            server.serve(target_loader=front, wrap_loader=False)
        self.stdout.write("Latchkey has stopped.")

    def report(self, *found: CheckMessage) -> None:
        """Print the warnings of system checks, one line each; raise ImproperlyConfigured if there are errors."""
        issues = [issue for issue in found if not issue.is_silenced()]
        for issue in issues:
            if not issue.is_serious():
                self.stderr.write(f"latchkey: warning: {issue.msg} {issue.hint or ''} ({issue.id})")
        if errors := [issue for issue in issues if issue.is_serious()]:
            raise ImproperlyConfigured(format_issues(errors))


def http1_settings(keep_alive: int) -> HTTP1Settings:
    """Return granian's settings. Its timeout is that of idle connections if slow_heads ends slow header sections."""
    seconds = keep_alive if is_supported() else HEAD_TIMEOUT
    return HTTP1Settings(header_read_timeout=int(seconds * 1000), max_buffer_size=MAX_HEADER_BYTES)


def max_connections() -> int:
    """Return the maximum number of open connections of a worker: MAX_CONNECTIONS, or less if RLIMIT_NOFILE is low.

    Granian has raised the soft limit to the hard limit before.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, files - RESERVED_FILES))


def end_with_parent() -> None:
    """Have Linux send SIGTERM to a worker when its main process dies (PR_SET_PDEATHSIG).

    Otherwise a worker whose main process was killed would keep the port, and nothing would stop it.
    """
    with suppress(AttributeError):  # not on Linux
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def prepare_tables() -> None:
    """Migrate the default SQLite database; raise ImproperlyConfigured if any other database is not migrated.

    Other databases are migrated by their operator, who chooses the time and the role.
    """
    if not settings.DATABASE_URL:
        call_command("migrate", verbosity=0)
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise ImproperlyConfigured("The database is not up to date; run 'latchkey migrate' first.")


def create_first_superuser() -> tuple[str, str] | None:
    """Create the first superuser: the one of the environment, or on the default SQLite database a generated one.

    It also restores the superuser of the environment where there is no active one. Returns e-mail address and password
    where the password was generated, and None otherwise. Raises ImproperlyConfigured if LATCHKEY_ADMIN_EMAIL or
    LATCHKEY_ADMIN_PASSWORD cannot be used.
    """
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


def banner(listening: str, admin: tuple[str, str] | None) -> str:
    """Return the start message: public addresses, and the generated password of the first superuser.

    Where a reverse proxy is in front, the address that this process listens on answers 400 to a browser.
    """
    url = settings.PUBLIC_URL
    lines = [f"Latchkey is running at {url}/"]
    if url != listening:
        lines += [f"  listening on    {listening}"]
    if settings.API_DOCS:
        lines += [f"  API docs        {url}/api-doc/"]
    lines += [f"  {'browsable API' if settings.BROWSABLE_API else 'API'.ljust(13)}   {url}/api/"]
    lines += [f"  admin area      {url}/admin/"]
    if admin:
        lines += [f"  admin e-mail    {admin[0]}", f"  admin password  {admin[1]}   (shown only once)"]
    return "\n".join([*lines, "Press Ctrl-C to stop.", ""])
