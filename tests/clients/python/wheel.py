"""The package as its users have it: a wheel, built from the source and installed into empty environments."""

import subprocess
import sys
from pathlib import Path

UV = str(Path(sys.executable).with_name("uv"))


def run(*command: str, folder: Path) -> str:
    """Run a command in a folder; return what it prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(package: Path, folder: Path) -> Path:
    """Build the wheel into a folder."""
    run(UV, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(package), folder=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(folder: Path, *packages: str) -> Path:
    """Make an empty environment in a folder and install packages; return its folder of programs."""
    run(UV, "venv", "--quiet", "--python", sys.executable, str(folder), folder=folder.parent)
    run(UV, "pip", "install", "--quiet", "--python", str(folder), *packages, folder=folder)
    return folder / "bin"
