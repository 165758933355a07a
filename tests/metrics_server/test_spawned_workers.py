"""Spawned workers (macOS does not fork): each unpickles its arguments before Django is set up."""

import subprocess
import sys

from tests.server import Server


def test_rsgi_application_and_its_arguments_import_without_models(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import latchkey.server.rsgi, latchkey.metrics_server.shared_directory"],
        env=server.environment | {"DJANGO_SETTINGS_MODULE": "latchkey.settings"},
        cwd=server.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
