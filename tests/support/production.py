"""A production configuration as docs/settings.md describes it, with minimal values that every check accepts."""

import json
from pathlib import Path
from typing import Any

from tests.server import Server

HOST = "auth.example.com"
PUBLIC_URL = f"https://{HOST}"
SECRET = "abcde" * 10
"""50 characters, 5 of them different: the weakest key that the checks accept."""

POSTGRESQL = "postgresql://latchkey@127.0.0.1:1/latchkey"
"""A URL that checks only parse: no server listens there."""

ENVIRONMENT: dict[str, Any] = {
    "LATCHKEY_MODE": "production",
    "LATCHKEY_SECRET_KEY": SECRET,
    "LATCHKEY_SECRET_KEY_FALLBACKS": SECRET[::-1],
    "LATCHKEY_PUBLIC_URL": PUBLIC_URL,
    "LATCHKEY_ALLOWED_HOSTS": f"127.0.0.1,.{HOST}",
    "LATCHKEY_CORS_ORIGINS": "https://app.example.com,https://app.example.com:8443",
}


def production_server(folder: Path, database_url: str = "", **environment: str) -> Server:
    """Return a server in production mode that is not started; an empty value removes a variable."""
    server = Server(folder, database_url, workers=1, **ENVIRONMENT)
    return update_environment(server, **environment)


def update_environment(server: Server, **environment: str) -> Server:
    server.environment = {name: value for name, value in (server.environment | environment).items() if value}
    return server


def read_settings(server: Server) -> dict[str, Any]:
    """Read all of Django's settings, defaults included, in a process of that server; values that are no JSON as repr.

    The WSGI application is loaded first, so that the settings are those of a serving process.
    """
    code = (
        "import json, latchkey.wsgi\nfrom django.conf import settings\n"
        "print(json.dumps({name: getattr(settings, name) for name in dir(settings) if name.isupper()}, default=repr))"
    )
    done = server.command("shell", "--no-imports", "-c", code)
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values
