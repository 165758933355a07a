"""Command-line interface: `latchkey COMMAND`, with a help and a version of its own.

The help has one line for each command of Latchkey, grouped by purpose. Django's commands are behind one more line,
`latchkey django`, because Django's own help is a list of fifty names. Help, version, and the refusal of an unknown
command or of a wrong option do not wait for Django: its set-up takes ten times the CPU of the rest.
"""

import os
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

UNKNOWN_VERSION = "0+unknown"
"""Version of a source tree that is on the path and not installed (PEP 440: release 0 with a local label)."""

COMMANDS: dict[str, dict[str, str]] = {
    "Server": {
        "serve": "Run the server.",
        "migrate": "Create or update the database tables.",
        "demo": "Create the superuser admin@amin.com, to try Latchkey out.",
    },
    "Users": {
        "users": "Import or export users, or reset the second factors of one.",
        "roles": "Manage roles and custom claims, and who has them.",
        "import-from": "Import users from another Django project.",
        "end_sessions": "Sign out all users, or one user, on every device.",
    },
    "Services and keys": {
        "applications": "Manage applications, their secrets, public keys and scopes.",
        "scopes": "Manage the scopes of applications, roles and API keys.",
        "services": "Manage the secrets of the services that may validate tokens.",
        "api-keys": "List, create and revoke API keys.",
        "keys": "List, rotate and retire the keys that sign access tokens.",
    },
    "Maintenance": {
        "mail": "Send due mails, list mails, or send a test mail.",
        "prune": "Delete ended sessions, expired codes, old mails and old events.",
    },
    "Django": {
        "django": "Run a command of Django, such as createsuperuser or shell.",
    },
}
"""Commands by purpose, with a summary: the first sentence of the command's own help."""

HELP_WORDS, VERSION_WORDS = ("help", "--help", "-h"), ("version", "--version", "-V")


def main() -> None:
    """Run a command. An error that the operator has to fix is one sentence on stderr, with exit code 2."""
    os.umask(0o077)  # files that the service creates are for its own user, the SQLite database too
    match sys.argv[1:]:
        case []:
            print(help_text())
        case [word] if word in HELP_WORDS:
            print(help_text())
        case [word, *_] if word in VERSION_WORDS:
            print(f"latchkey {installed_version()}")
        case ["help", "django", *_] | ["django"]:
            _run_django("latchkey django", ["help"])
        case ["help", *words]:
            _run("latchkey", [*words, "--help"])
        case ["django", *arguments]:
            _run_django("latchkey django", arguments)
        case arguments:
            _run("latchkey", arguments)


def help_text() -> str:
    """Return the help of `latchkey` itself: one line for each command."""
    lines = [
        f"Latchkey {installed_version()}, a self-hosted sign-in service.",
        "",
        "usage: latchkey COMMAND [OPTIONS]",
        "       latchkey COMMAND --help",
        "       latchkey --version",
    ]
    width = max(len(name) for commands in COMMANDS.values() for name in commands)
    for purpose, commands in COMMANDS.items():
        lines += ["", f"{purpose}:", *(f"  {name:<{width}}  {summary}" for name, summary in commands.items())]
    return "\n".join([*lines, "", "'latchkey django' lists the commands of Django."])


def installed_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("latchkey")
    except PackageNotFoundError:
        return UNKNOWN_VERSION


def _run(program: str, arguments: list[str]) -> None:
    """Run a command by its name, after a look at its name and its options; exits with 2 where they are wrong."""
    from latchkey.management.command_names import command_names, refuse_unknown_command  # noqa: PLC0415 - slow
    from latchkey.management.options import OPTIONS, build_parser  # noqa: PLC0415  # the list of commands is without

    word, name = arguments[0], arguments[0].replace("-", "_")
    if name in OPTIONS:
        parser = build_parser(f"{program} {word}", OPTIONS[name], f"latchkey {installed_version()}")
        options = parser.parse_args(arguments[1:])
        if name == "serve":
            publish_listen_url(options.host, options.port)
    elif name not in command_names():
        refuse_unknown_command(program, word)
    _run_django(program, arguments)


def publish_listen_url(host: str, port: int) -> None:
    """Tell the settings of this process, and of its workers, where the server listens."""
    from latchkey.conf.urls import LISTEN_URL, build_listen_url  # noqa: PLC0415  # the help is without

    with suppress(ValueError):  # no host: to listen there fails with a better sentence
        os.environ.update({LISTEN_URL: build_listen_url(host, port)})


def _run_django(program: str, arguments: list[str]) -> None:
    """Run a management command, ours or one of Django's."""
    from latchkey.management.command_line import execute  # noqa: PLC0415  # help and version do not wait for Django

    execute(program, arguments)
