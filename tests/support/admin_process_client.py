"""An operator process with database access, fast enough to take part in a race."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.server import LATCHKEY, Server

SCRIPT = Path(__file__).with_name("admin_process.py").read_text()


class AdminProcess:
    """A `latchkey shell` that stays open, so that a command takes a millisecond instead of the start of a process."""

    def __init__(self, server: Server) -> None:
        with (server.folder / "operator.log").open("wb") as log:
            self.process = subprocess.Popen(
                [LATCHKEY, "shell", "--no-imports", "-c", SCRIPT],
                env=server.environment,
                cwd=server.folder,
                stdin=subprocess.PIPE,
                stdout=log,  # the audit lines
                stderr=subprocess.PIPE,
                text=True,
            )

    def __call__(self, verb: str, *arguments: Any) -> Any:
        """Run a command of admin_process.py; it has committed when this returns."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.write(json.dumps([verb, *arguments]) + "\n")
        self.process.stdin.flush()
        line = self.process.stderr.readline()
        assert line.startswith("{"), line + self._read_stderr()
        answer = json.loads(line)
        assert "failed" not in answer, f"{verb} {arguments}: {answer['failed']}"
        return answer["answer"]

    def _read_stderr(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read() if self.process.poll() is not None else ""

    def close(self) -> None:
        self.process.communicate(timeout=10)  # closes its input, which ends the loop
