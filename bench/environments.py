"""An environment for each system under .bench/, made from the registries and kept while its list stays the same."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from bench.adapter import Adapter
from bench.server import BenchmarkError, SystemUnavailable

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".bench"
UV = str(Path(sys.executable).with_name("uv"))
LOCK_FILES = ("requirements.txt", "package.json", "package-lock.json")
INSTALL_TIMEOUT = 300


def ensure_environment(system: Adapter) -> Path:
    """Return the Python of a system's environment, making that first where needed; raises Unable, and LeftOut
    where this machine has no node.

    Latchkey lists nothing: it runs in our own. For a node system it is the path of a Python that is not there, and
    the modules are in the folder above it.
    """
    lists = [system.folder / name for name in LOCK_FILES if (system.folder / name).exists()]
    if not lists:
        return Path(sys.executable)
    made = ENVIRONMENTS / system.name
    python, stamp = made / "bin/python", made / "made-from"
    wanted = hashlib.sha256(b"".join([sys.version.encode(), *(one.read_bytes() for one in lists)])).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(made, ignore_errors=True)
    if (system.folder / "package.json").exists():
        made.mkdir(parents=True)
        for one in lists:
            shutil.copy(one, made)
        install_node(made)
    else:
        run_checked([UV, "venv", "--quiet", "--python", sys.executable, str(made)])
        install_python(python, system.folder / "requirements.txt")
    stamp.write_text(wanted)
    return python


def install_python(python: Path, requirements: Path) -> None:
    install = [UV, "pip", "install", "--quiet", "--python", str(python), "--requirement", str(requirements)]
    try:
        run_checked(install)
    except BenchmarkError:
        run_checked([*install, "--system-certs"])  # behind a proxy with a certificate of its own


def install_node(made: Path) -> None:
    """Install what package-lock.json has; scripts of packages are not run."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise SystemUnavailable("node and npm are not here")
    run_checked([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], made)


def run_checked(command: list[str], folder: Path = ROOT) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchmarkError(f"its environment cannot be made: {error}") from error
    if done.returncode:
        raise BenchmarkError(f"its environment cannot be made: {done.stderr.strip()[-400:]}")
