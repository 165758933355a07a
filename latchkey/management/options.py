"""The options of each command of Latchkey, declared for argparse without an import of Django.

The command line reads them before it sets Django up, so that `latchkey serve --help` and a wrong option are answered at
once. The commands add the same options to Django's parser. An option needs a line here and nowhere else.
"""

import os
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from latchkey.import_export.endpoint_map import ENDPOINT_MAP

MAX_WORKERS = 256


class CommandOptions(NamedTuple):
    """The help of a command, whose first sentence is its summary, and a function that adds its options."""

    help: str
    add: Callable[[ArgumentParser], None]


class OptionParser(ArgumentParser):
    """An ArgumentParser whose errors are one sentence on stderr, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; '{self.prog} --help' lists the options.\n")


def int_range(low: int, high: int) -> Callable[[str], int]:
    """Return a type for `add_argument` that reads a whole number from low to high, both included.

    The type raises ArgumentTypeError, which argparse prints with the name of the option; it exits with 2.
    """

    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return read


def build_parser(program: str, command: CommandOptions, version: str) -> OptionParser:
    """Return the parser of a command. The options that Django adds to each of its commands are read and not listed."""
    parser = OptionParser(prog=program, description=command.help)
    parser.add_argument("--version", action="version", version=version, help=SUPPRESS)
    parser.add_argument("-v", "--verbosity", choices=["0", "1", "2", "3"], help=SUPPRESS)
    for option in ("--settings", "--pythonpath"):
        parser.add_argument(option, help=SUPPRESS)
    for flag in ("--traceback", "--no-color", "--force-color", "--skip-checks"):
        parser.add_argument(flag, action="store_true", help=SUPPRESS)
    command.add(parser)
    return parser


def _add_none(parser: ArgumentParser) -> None:
    """Add nothing: the command has no options."""


def _add_serve(parser: ArgumentParser) -> None:
    cores = min(os.cpu_count() or 1, 8)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int_range(1, 65535), default=8000, help="port (default: %(default)s)")
    number, threads = int_range(1, MAX_WORKERS), "request threads per worker, besides those that hash passwords"
    workers = "worker processes (default: one per core, 8 at most; here %(default)s)"
    parser.add_argument("--workers", type=number, default=cores, help=workers)
    parser.add_argument("--threads", type=number, default=10, help=f"{threads} (default: %(default)s)")
    idle = "seconds until an idle connection is closed (default: %(default)s)"
    parser.add_argument("--keep-alive", type=int_range(10, 3600), default=75, metavar="SECONDS", help=idle)


def _add_migrate(parser: ArgumentParser) -> None:
    """Add the options of Django's command, as `latchkey.management.commands.migrate` inherits them."""
    parser.add_argument("app_label", nargs="?", help="migrate this Django app only")
    parser.add_argument("migration_name", nargs="?", help="last migration to apply; 'zero' unapplies all")
    parser.add_argument("--noinput", "--no-input", action="store_false", help="ask nothing")
    parser.add_argument("--database", choices=["default"], help=SUPPRESS)
    parser.add_argument("--plan", action="store_true", help="show what would be done")
    parser.add_argument("--check", action="store_true", help="exit with 1 if there is something to do; do nothing")
    for flag in ("--fake", "--fake-initial", "--run-syncdb", "--prune"):
        parser.add_argument(flag, action="store_true", help=SUPPRESS)


def _add_end_sessions(parser: ArgumentParser) -> None:
    parser.add_argument("--user", metavar="EMAIL", help="sign out this user only")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _add_import_from(parser: ArgumentParser) -> None:
    parser.add_argument("system", choices=ENDPOINT_MAP, help="library that the project signs users in with")
    parser.add_argument("--database", metavar="URL", help="database of the old project; it is only read")
    parser.add_argument("--table", default="auth_user", help="its table of users (default: %(default)s)")
    parser.add_argument("--keep-ids", action="store_true", help="keep the ids, so that references stay valid")
    parser.add_argument("--with-staff", action="store_true", help="import is_staff and is_superuser, too")
    parser.add_argument("--rejects", type=Path, metavar="FILE", help="append the errors of rejected users to a file")


def _add_keys(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="{list,rotate,retire}")
    listing = actions.add_parser("list", help="list the keys with their states and times")
    listing.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
    turn = actions.add_parser("rotate", help="publish a new key, which signs after 10 minutes")
    turn.add_argument("--now", action="store_true", dest="at_once", help="sign with the new key within 2 seconds")
    end = actions.add_parser("retire", help="refuse all tokens of a key at once, for example after a leak")
    end.add_argument("kid", metavar="KID", help="id of the key, as 'latchkey keys list' prints it")
    end.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _add_mail(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="send | list | test")
    actions.add_parser("send", help="send all due mails once; a running service may send, too")
    listing = actions.add_parser("list", help="list the newest mails with their state")
    last = "number of mails (default: %(default)s)"
    listing.add_argument("--last", type=int_range(1, 100_000), default=50, metavar="N", help=last)
    listing.add_argument("--waiting", action="store_true", help="only mails that are not sent yet")
    testing = actions.add_parser("test", help="send a test mail now, and print the error if the server refuses it")
    testing.add_argument("address", metavar="ADDRESS")


def _add_services(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="add | list | remove")
    adding = actions.add_parser("add", help="create a secret of a service, the first or a second one, and print it")
    adding.add_argument("client_id", metavar="NAME", help="name of the service")
    actions.add_parser("list", help="list the services, one line per secret")
    removing = actions.add_parser("remove", help="delete the secrets of a service; takes effect at once")
    removing.add_argument("client_id", metavar="NAME", help="name of the service")
    removing.add_argument("--older", action="store_true", help="keep the newest secret")


def _add_users(parser: ArgumentParser) -> None:
    from latchkey.import_export.source_lines import FORMATS, STDIO  # noqa: PLC0415 - it imports Django's exceptions

    actions = parser.add_subparsers(dest="action", required=True, metavar="import | export | reset-factors")
    taking = actions.add_parser("import", help="add the users of a file; existing users are not changed")
    taking.add_argument("file", metavar="FILE", help="file to read; '-' is standard input")
    taking.add_argument("--format", choices=FORMATS, dest="form", help="needed if the file has another suffix")
    taking.add_argument("--keep-ids", action="store_true", help="keep the ids of the file; they must be free")
    taking.add_argument("--with-staff", action="store_true", help="import is_staff and is_superuser, too")
    taking.add_argument("--from-line", type=int_range(1, 10**12), default=1, metavar="N", help="first line to read")
    taking.add_argument("--rejects", type=Path, metavar="FILE", help="append the errors of rejected lines to a file")
    giving = actions.add_parser("export", help="write all users to a file that 'import' reads")
    giving.add_argument("file", metavar="FILE", nargs="?", default=STDIO, help="file to write; '-' is standard output")
    giving.add_argument("--format", choices=FORMATS, dest="form", help="needed if the file has another suffix")
    giving.add_argument("--without-hashes", action="store_true", help="leave out the password hashes")
    giving.add_argument(
        "--with-totp-secrets", action="store_true", help="add the secrets of authenticator apps, which show every code"
    )
    giving.add_argument("--force", action="store_true", help="overwrite an existing file")
    resetting = actions.add_parser("reset-factors", help="delete the second factors of a user who has lost them")
    resetting.add_argument("email", metavar="EMAIL", help="e-mail address of the user")
    resetting.add_argument("--reason", required=True, metavar="TEXT", help="reason for the audit log, without names")
    resetting.add_argument("--yes", action="store_true", help="do not ask for confirmation")


OPTIONS = {
    "serve": CommandOptions(
        "Run the server. The tables of the default SQLite database are created and updated first.", _add_serve
    ),
    "migrate": CommandOptions(
        "Create or update the database tables. On PostgreSQL one node does it, and the others wait.", _add_migrate
    ),
    "demo": CommandOptions(
        "Create the superuser admin@amin.com, to try Latchkey out. The password is printed, and is known to everybody: "
        "the command does not run in production.",
        _add_none,
    ),
    "users": CommandOptions(
        "Import or export users, or reset the second factors of one. Files are CSV or JSON lines, with the password "
        "hashes.",
        _add_users,
    ),
    "import_from": CommandOptions(
        "Import users from another Django project. The command reads the database of the project, with the password "
        "hashes, and prints which endpoint of Latchkey replaces which of the old ones.",
        _add_import_from,
    ),
    "end_sessions": CommandOptions(
        "Sign out all users, or one user, on every device. Refresh tokens, access tokens and cookies of the admin area "
        "become invalid at once. Use it after a leak, and after a restore from a backup.",
        _add_end_sessions,
    ),
    "services": CommandOptions(
        "Manage the secrets of the services that may validate tokens. A service sends its name and its secret to "
        "/api/introspect/ (OAuth 2.0 Token Introspection, HTTP Basic).",
        _add_services,
    ),
    "keys": CommandOptions(
        "List, rotate and retire the keys that sign access tokens. docs/operations.md explains a rotation.", _add_keys
    ),
    "mail": CommandOptions(
        "Send due mails, list mails, or send a test mail. A running service sends due mails by itself.", _add_mail
    ),
    "prune": CommandOptions(
        "Delete ended sessions, expired codes, old mails and old events. Old rate-limit counters, expired tickets and "
        "abandoned enrolments are deleted, too. The command works in small batches beside a running service.",
        _add_none,
    ),
}
"""Help and options by the name of a command, which is that of its module in `commands/`."""
