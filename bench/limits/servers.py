"""Servers of the upper limits: the raw WSGI callable, and bare views of Django and DRF, in Latchkey's environment."""

import sys
from contextlib import ExitStack
from pathlib import Path

from bench.adapter import Person, Request
from bench.database import Database
from bench.endpoints import Endpoint, baseline
from bench.server import ServerProcess, run_command
from tests.postgres import free_port

FOLDER = Path(__file__).parent
TOKEN = "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"
ANONYMOUS = [Person(f"{number}", "") for number in range(8)]
RAW = [baseline("raw WSGI callable", Request("GET", "/"), b'{"status": "ok"}')]
DJANGO = [
    baseline("bare Django view", Request("GET", "/constant"), b'{"status": "ok"}'),
    baseline("bare Django view, one ORM read", Request("GET", "/row"), b'{"model": "contenttype"}'),
    baseline("bare DRF GET", Request("GET", "/drf"), b'{"status":"ok"}'),
    baseline("bare DRF POST, serializer", Request("POST", "/drf", {"token": TOKEN}), f'{{"token":"{TOKEN}"}}'.encode()),
]


def serve(stack: ExitStack, database: Database, folder: Path) -> list[tuple[ServerProcess, list[Endpoint]]]:
    """Start a server for each application; return it with its endpoints. The stack ends it."""
    environment = {
        "PYTHONPATH": str(FOLDER),
        "DJANGO_SETTINGS_MODULE": "app.settings",
        "DATABASE_URL": database.url(),
    }
    run_command([sys.executable, "-m", "django", "migrate", "--verbosity", "0"], environment, FOLDER)
    served = []
    for module, endpoints in (("raw", RAW), ("wsgi", DJANGO)):
        port = free_port()
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--workers", "1"]
        command += ["--blocking-threads", "4", "--port", str(port), f"app.{module}:application"]
        running = ServerProcess(command, environment, FOLDER, port, folder / f"{module}.log")
        stack.callback(running.stop)
        served.append((running.start(endpoints[0].build_request(ANONYMOUS[0])), endpoints))
    return served
