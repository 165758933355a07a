"""The programs of the drills: PostgreSQL, etcd and HAProxy of Debian, Patroni in an environment of its own.

A drill fails with one sentence that names what is missing.
"""

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.postgres import NOBODY_UID

ROOT = Path(__file__).resolve().parents[2]
PATRONI = ROOT / ".ha" / "patroni"
"""The virtual environment that `make test-ha` installs Patroni into."""

OWNER = NOBODY_UID if os.geteuid() == 0 else None
"""The user of all processes of a machine; None is the user of the tests. PostgreSQL refuses to run as root."""


def owner_name() -> str:
    return pwd.getpwuid(os.getuid() if OWNER is None else OWNER).pw_name


def find_program(name: str, package: str) -> str:
    """Return the path of an installed program; without it the test fails."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        pytest.fail(f"The drills need {name}: apt-get install {package}", pytrace=False)
    return path


def postgresql_programs() -> Path:
    """Return the folder of the programs of the newest PostgreSQL of Debian."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if not versions:
        pytest.fail("The drills need PostgreSQL: apt-get install postgresql", pytrace=False)
    return versions[-1].parent


def check_patroni() -> None:
    if not (PATRONI / "bin" / "patroni").exists():
        pytest.fail("The drills need Patroni in .ha/patroni: run them by `make test-ha`", pytrace=False)


def patroni_modules(folder: Path) -> Path:
    """Return the folder with Patroni's modules, for PYTHONPATH; a copy for nobody, who may not enter root's folders."""
    check_patroni()
    (modules,) = PATRONI.glob("lib/python*/site-packages")
    return Path(shutil.copytree(modules, folder / "patroni-modules")) if OWNER else modules


def base_python() -> str:
    """Return the Python that Patroni's environment was made of: nobody may not enter root's folders."""
    (home,) = re.findall(r"^home = (.+)$", (PATRONI / "pyvenv.cfg").read_text(), re.MULTILINE)
    return str(Path(home) / "python3")


def start(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a process of a machine in its folder, which becomes its own; the output is appended to the file `log`."""
    folder.mkdir(parents=True, exist_ok=True)
    if OWNER:
        os.chown(folder, OWNER, OWNER)
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=inherited | {"HOME": str(folder)} | environment,
            user=OWNER,
            group=OWNER,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
