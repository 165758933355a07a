"""Adapter that the other Django systems share: migrations, and granian as the server."""

import json
from pathlib import Path

from bench.adapter import Adapter, Person

SHARED = Path(__file__).parent / "every_django"  # modules that run in the environments of these systems


class DjangoAdapter(Adapter):
    """A Django project in the package `app` of the system's folder, served by granian as WSGI."""

    def environment(self, python: Path, port: int, database_url: str, cheap_hash: bool) -> dict[str, str]:
        return {
            "PYTHONPATH": f"{self.folder}:{SHARED}",
            "DJANGO_SETTINGS_MODULE": "app.settings",
            "DATABASE_URL": database_url,
            "BENCH_SECRET_KEY": "a key for the bench alone, longer than the hash that it keys, and not secret",
            "BENCH_CHEAP_HASH": "1" if cheap_hash else "0",
        }

    def setup_commands(self, python: Path) -> list[list[str]]:
        return [[str(python), "-m", "django", "migrate", "--verbosity", "0"]]

    def serve(self, python: Path, port: int) -> list[str]:
        command = [str(python), "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"]
        size = ["--workers", "1", "--blocking-threads", "4"]
        return [*command, *size, "--port", str(port), f"{SHARED}/wsgi.py:application"]


def make_people_command(python: Path, people: list[Person]) -> list[str]:
    """Return the command that creates accounts for a system without an endpoint for it."""
    return [str(python), "-m", "make_people", json.dumps([[person.email, person.password] for person in people])]
