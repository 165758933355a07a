"""uv of this environment, for tests that install packages into environments of their own. They need a registry."""

import os
import subprocess
from pathlib import Path

UV = str(Path(__file__).resolve().parents[2] / ".venv" / "bin" / "uv")


def run_uv(*arguments: str, environment: Path | None = None) -> None:
    """Run uv with these arguments, for a virtual environment in this folder; it has to succeed."""
    variables = {**os.environ, **({"VIRTUAL_ENV": str(environment)} if environment else {})}
    done = subprocess.run([UV, *arguments, "--quiet"], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
