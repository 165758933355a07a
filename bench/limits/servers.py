"""The limits that are served: the raw WSGI callable, and bare views of Django and DRF, in our own environment."""

import sys
from contextlib import ExitStack
from pathlib import Path

from bench.database import Database
from bench.doors import Door, of_limit
from bench.running import Running, run
from bench.system import Ask, Person
from tests.postgres import free_port

FOLDER = Path(__file__).parent
TOKEN = "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"
NOBODY = [Person(f"{number}", "") for number in range(8)]
RAW = [of_limit("raw WSGI callable", Ask("GET", "/"), b'{"status": "ok"}')]
DJANGO = [
    of_limit("bare Django view", Ask("GET", "/constant"), b'{"status": "ok"}'),
    of_limit("bare Django view, one ORM read", Ask("GET", "/row"), b'{"model": "contenttype"}'),
    of_limit("bare DRF GET", Ask("GET", "/drf"), b'{"status":"ok"}'),
    of_limit("bare DRF POST, serializer", Ask("POST", "/drf", {"token": TOKEN}), f'{{"token":"{TOKEN}"}}'.encode()),
]


def serve(stack: ExitStack, database: Database, folder: Path) -> list[tuple[Running, list[Door]]]:
    """Start a server for each application; return it with its doors. The stack ends it."""
    environment = {
        "PYTHONPATH": str(FOLDER),
        "DJANGO_SETTINGS_MODULE": "app.settings",
        "DATABASE_URL": database.url(),
    }
    run([sys.executable, "-m", "django", "migrate", "--verbosity", "0"], environment, FOLDER)
    served = []
    for module, doors in (("raw", RAW), ("wsgi", DJANGO)):
        port = free_port()
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--workers", "1"]
        command += ["--blocking-threads", "4", "--port", str(port), f"app.{module}:application"]
        running = Running(command, environment, FOLDER, port, folder / f"{module}.log")
        stack.callback(running.stop)
        served.append((running.start(doors[0].ask(NOBODY[0])), doors))
    return served
