"""Commands that serve nothing do not load the web server: `latchkey mail` and `users` start without granian."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from importlib import import_module

import django

django.setup()
import_module(f"latchkey.management.commands.{sys.argv[1]}")
print(*sorted(name for name in sys.modules if name.split(".")[0] == "granian" or name.startswith("latchkey.server")))
"""


def server_modules(command: str, folder: Path) -> list[str]:
    """Return the modules of the web server that a new process has loaded after it imported a command."""
    environment = {"DJANGO_SETTINGS_MODULE": "latchkey.settings", "LATCHKEY_DATA_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, command], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    "command",
    [
        *("mail", "users", "import_from", "keys", "end_sessions", "services", "applications", "scopes"),
        *("prune", "migrate", "demo"),
    ],
)
def test_commands_other_than_serve_do_not_import_the_web_server(command: str, tmp_path: Path) -> None:
    assert server_modules(command, tmp_path) == []


def test_serve_imports_the_web_server(tmp_path: Path) -> None:
    assert {"granian.server", "latchkey.server.rsgi"} <= set(server_modules("serve", tmp_path))
