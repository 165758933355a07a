"""Where workers are not forked (macOS), each unpickles what the main process gave it before Django is set up."""

import subprocess
import sys

from tests.server import Server


def test_the_front_and_what_it_is_given_need_no_models(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import latchkey.server.rsgi, latchkey.metrics_server.shared_directory"],
        env=server.environment | {"DJANGO_SETTINGS_MODULE": "latchkey.settings"},
        cwd=server.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
