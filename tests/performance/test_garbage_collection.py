"""A worker excludes what it has imported from garbage collection: a full one stops all requests."""

import os
import subprocess
import sys
from pathlib import Path

from tests.postgres import free_port

START_WORKER = r"""
import gc, os, sys, django, uvloop
from pathlib import Path
django.setup()
from latchkey.metrics_server.shared_directory import MetricsContext
from latchkey.server.rsgi import RsgiApplication
application = RsgiApplication(1, MetricsContext(Path(sys.argv[1]), None), int(sys.argv[2]))
application.__rsgi_init__(uvloop.new_event_loop())
print("\nobjects", gc.get_freeze_count(), len(gc.get_objects()), flush=True)
os._exit(0)
"""


def test_worker_excludes_imported_objects_from_garbage_collection(tmp_path: Path) -> None:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path}/latchkey.sqlite3",
        "DJANGO_SETTINGS_MODULE": "latchkey.settings",
        "LATCHKEY_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "-c", START_WORKER, str(tmp_path), str(free_port())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    frozen, collected = map(
        int, next(line for line in done.stdout.splitlines() if line.startswith("objects")).split()[1:]
    )
    assert frozen > 50_000
    assert collected < frozen / 100
