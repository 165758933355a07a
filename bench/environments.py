"""Environments of the systems under .bench/: installed from the registries, and kept until the requirements change."""

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
    """Return the Python of a system's environment; install the environment first if needed.

    Latchkey has no requirements file: it runs in the environment of the benchmark. For a Node.js system the path names
    no file, and the modules are in the directory above it. Raises BenchmarkError, and SystemUnavailable if this machine
    has no Node.js.
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
    """Install a requirements file."""
    install = [UV, "pip", "install", "--quiet", "--python", str(python), "--requirement", str(requirements)]
    try:
        run_checked(install)
    except BenchmarkError:
        run_checked([*install, "--system-certs"])  # behind a proxy with a certificate of its own


def install_node(made: Path) -> None:
    """Install the packages of package-lock.json, without running their scripts; raises SystemUnavailable."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise SystemUnavailable("Node.js and npm are not installed")
    run_checked([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], made)


def run_checked(command: list[str], folder: Path = ROOT) -> None:
    """Run an installation command; raise BenchmarkError if it fails."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchmarkError(f"the environment cannot be installed: {error}") from error
    if done.returncode:
        raise BenchmarkError(f"the environment cannot be installed: {done.stderr.strip()[-400:]}")
