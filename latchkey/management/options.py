"""The options of each command of Latchkey, declared for argparse without an import of Django.

The command line reads them before it sets Django up, so that `latchkey serve --help` and a wrong option are answered at
once. The commands add the same options to Django's parser. An option needs a line here and nowhere else.
"""

import os
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

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


def _add_roles(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list the roles with their members and scopes")
    adding = _add_role_action(actions, "add", "create a role")
    adding.add_argument("--description", default="", metavar="TEXT", help="what the role is for, in one line")
    adding.add_argument("--scope", dest="scopes", help="scope that its members have; may be repeated", **_REPEATED)
    setting = _add_role_action(actions, "set", "change the description or the scopes of a role")
    setting.add_argument("--description", metavar="TEXT", help="what the role is for, in one line")
    setting.add_argument("--scope", dest="scopes", help="scope to add; may be repeated", **_REPEATED)
    less = "scope to take away; may be repeated"
    setting.add_argument("--remove-scope", dest="less", help=less, **_REPEATED)
    removing = _add_role_action(actions, "remove", "take a role away from all its members, and delete it")
    removing.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    for action, purpose in (("grant", "grant a role to users"), ("revoke", "take a role away from users")):
        changing = _add_role_action(actions, action, f"{purpose}, by their e-mail addresses")
        changing.add_argument("emails", metavar="EMAIL", nargs="*", help="e-mail address of a user")
        changing.add_argument("--file", metavar="FILE", help="file with one address a line; '-' is standard input")
    _add_role_action(actions, "members", "list the users who have a role")
    showing = actions.add_parser("show", help="show the roles and the custom claims of a user")
    showing.add_argument("email", metavar="EMAIL", help="e-mail address of the user")
    claiming = actions.add_parser("claims", help="show or replace the custom claims of a user")
    claiming.add_argument("email", metavar="EMAIL", help="e-mail address of the user")
    given = claiming.add_mutually_exclusive_group()
    given.add_argument("claims", metavar="JSON", nargs="?", help="JSON object that replaces the claims")
    given.add_argument("--clear", action="store_true", help="delete the claims")


_REPEATED: dict[str, Any] = {"action": "append", "default": [], "metavar": "SCOPE"}
"""Arguments of `add_argument` for an option that may be given several times."""


def _add_role_action(actions: Any, action: str, purpose: str) -> ArgumentParser:
    parser: ArgumentParser = actions.add_parser(action, help=purpose)
    parser.add_argument("name", metavar="NAME", help="name of the role, such as editor")
    return parser


def _add_applications(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list the applications with their kinds, states and scopes")
    adding = actions.add_parser("add", help="create an application of kind service, and a secret, which is printed")
    client_id = "client id, such as orders; without one a random one is made"
    adding.add_argument("client_id", metavar="CLIENT_ID", nargs="?", default="", help=client_id)
    adding.add_argument("--name", default="", metavar="TEXT", help="name for people")
    _add_application_values(adding, "", "file with a JSON Web Key Set of public keys, in place of a secret")
    _add_application_action(actions, "show", "show an application; never its secrets")
    setting = _add_application_action(actions, "set", "change an application; what is not given stays")
    setting.add_argument("--name", metavar="TEXT", help="name for people")
    files = setting.add_mutually_exclusive_group()
    _add_application_values(setting, " to add", "file with a JSON Web Key Set that replaces the public keys", files)
    files.add_argument("--remove-public-keys", action="store_true", help="delete the public keys")
    for value in ("scope", "resource"):
        metavar, less = "URL" if value == "resource" else "SCOPE", f"{value} to take away; may be repeated"
        setting.add_argument(
            f"--remove-{value}", dest=f"less_{value}s", action="append", default=[], metavar=metavar, help=less
        )
    secret = actions.add_parser("secret", help="add or remove secrets: secret add CLIENT_ID, secret remove CLIENT_ID")
    secrets = secret.add_subparsers(dest="secret_action", required=True, metavar="add | remove")
    _add_application_action(secrets, "add", "create a secret, the first or a second one, and print it")
    removing = _add_application_action(
        secrets, "remove", "delete the secrets, and refuse the access tokens of the application; takes effect at once"
    )
    removing.add_argument("--older", action="store_true", help="keep the newest secret, and the access tokens")
    _add_application_action(actions, "deactivate", "refuse everything of an application, until it is reactivated")
    _add_application_action(actions, "reactivate", "accept the secrets and keys of an application again")
    _add_application_action(actions, "revoke-tokens", "refuse all access tokens that an application has now")
    deleting = _add_application_action(actions, "remove", "delete an application, its secrets and its API keys")
    deleting.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _add_application_action(actions: Any, action: str, purpose: str) -> ArgumentParser:
    parser: ArgumentParser = actions.add_parser(action, help=purpose)
    parser.add_argument("client_id", metavar="CLIENT_ID", help="client id, as 'latchkey applications list' prints it")
    return parser


def _add_application_values(parser: ArgumentParser, to_add: str, keys: str, files: Any = None) -> None:
    repeated: dict[str, Any] = {"action": "append", "default": []}
    scope = f"scope{to_add}; may be repeated"
    parser.add_argument("--scope", dest="scopes", metavar="SCOPE", help=scope, **repeated)
    resource = f"URL of a service that its access tokens may be for{to_add and ', to add'}; may be repeated"
    parser.add_argument("--resource", dest="resources", metavar="URL", help=resource, **repeated)
    (files or parser).add_argument(
        "--public-keys", type=Path, metavar="FILE", help=f"{keys}; may be repeated", **repeated
    )


def _add_scopes(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="list | add | set | remove")
    actions.add_parser("list", help="list the scopes with their descriptions")
    for action, purpose in (("add", "create a scope"), ("set", "change the description of a scope")):
        describing = actions.add_parser(action, help=purpose)
        describing.add_argument("name", metavar="NAME", help="name of the scope, such as orders:read")
        what = "what the scope allows, in one line"
        describing.add_argument("--description", required=True, metavar="TEXT", help=what)
    removing = actions.add_parser("remove", help="delete a scope that no application, role or API key has")
    removing.add_argument("name", metavar="NAME", help="name of the scope")
    removing.add_argument("--force", action="store_true", help="take it away from all that have it first")
    removing.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _add_services(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="add | list | remove")
    adding = actions.add_parser("add", help="create a secret of a service, the first or a second one, and print it")
    adding.add_argument("client_id", metavar="NAME", help="name of the service")
    actions.add_parser("list", help="list the services, one line per secret")
    removing = actions.add_parser(
        "remove",
        help="delete the secrets of a service, and refuse its access tokens; takes effect at once, and the application "
        "stays ('latchkey applications remove' deletes it)",
    )
    removing.add_argument("client_id", metavar="NAME", help="name of the service")
    removing.add_argument("--older", action="store_true", help="keep the newest secret, and the access tokens")


def _add_api_keys(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="list | add | revoke")
    listing = actions.add_parser("list", help="list API keys, the newest first, without the keys themselves")
    _add_owner(listing, "only the keys of this")
    listing.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
    adding = actions.add_parser("add", help="create a key of an application, and print it once")
    adding.add_argument("--application", required=True, metavar="CLIENT_ID", help="client id of the application")
    adding.add_argument("--name", required=True, help="name by which you know the key in lists")
    scope = "scope that the application has; may be given several times"
    adding.add_argument("--scope", action="append", default=[], dest="scopes", metavar="SCOPE", help=scope)
    expiry = adding.add_mutually_exclusive_group()
    expiry.add_argument("--days", type=int_range(1, 3650), metavar="N", help="days until it expires (default: 90)")
    expiry.add_argument("--never-expires", action="store_true", help="needs API_KEY_MAX_AGE to be 0")
    revoking = actions.add_parser("revoke", help="revoke keys; takes effect at once")
    revoking.add_argument("key_ids", nargs="*", metavar="ID", help="id of a key, as 'list' prints it")
    _add_owner(revoking, "all keys of this")
    revoking.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _add_owner(parser: ArgumentParser, what: str) -> None:
    owner = parser.add_mutually_exclusive_group()
    owner.add_argument("--user", metavar="EMAIL", help=f"{what} user")
    owner.add_argument("--application", metavar="CLIENT_ID", help=f"{what} application")


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
    "roles": CommandOptions(
        "Manage roles and custom claims, and who has them. A role is in the access tokens of its members as the claim "
        "'roles'; a change is in force at once at this service, and elsewhere with the next access token.",
        _add_roles,
    ),
    "applications": CommandOptions(
        "Manage applications, their secrets, public keys and scopes. An application is a client of OAuth 2.0, such as "
        "a service of yours that gets access tokens with the client credentials grant. A change is in force at once.",
        _add_applications,
    ),
    "scopes": CommandOptions(
        "Manage the scopes of applications, roles and API keys. Their list is closed: nobody can be given what is not "
        "in it.",
        _add_scopes,
    ),
    "services": CommandOptions(
        "Manage the secrets of the services that may validate tokens. A service sends its name and its secret to "
        "/api/introspect/ (OAuth 2.0 Token Introspection, HTTP Basic). It is an application of kind service: 'latchkey "
        "applications' changes the rest of it.",
        _add_services,
    ),
    "api_keys": CommandOptions(
        "List, create and revoke API keys. Keys of people are made by their owners; this command makes those of "
        "applications.",
        _add_api_keys,
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
